/** A journal whose records are not all there: nothing is folded over the hole. */
import { describe, expect, it, onTestFinished, vi } from "vitest";
import { z } from "zod";

import type { InspectionEvent, Troupe } from "@troupe/core";
import type { JournalEntry, Log } from "@troupe/core/log";
import { agent, createTroupe } from "@troupe/core";
import { JournalHoleError } from "@troupe/core/errors";
import { createMemoryBroker, overlay } from "@troupe/testing";

const quick = {
  timings: { joinDelayMs: 0 },
  retry: { attemptsMax: 1, delayMs: 1, delayMsMax: 2 },
} as const;

const account = agent("account")
  .state({ sum: 0 })
  .event("added", z.number(), (state, by) => ({ sum: state.sum + by }))
  .on("add", z.number(), (ctx, by) => {
    ctx.emit.added(by);
    return ctx.state.sum;
  });

/** A broker whose journal of `account/a` has five turns. */
async function fiveTurns(): Promise<ReturnType<typeof createMemoryBroker>> {
  const broker = createMemoryBroker({ partitions: 1 });
  await using troupe = createTroupe(broker.connect());
  await troupe.work(account, quick);
  for (let turn = 1; turn <= 5; turn++) await troupe.agent(account, "a").add(10);
  return broker;
}

/** A client of a log that returns only some of the records of `account/a`. */
function clientOf(base: Log, isThere: (entry: JournalEntry, index: number) => boolean): Troupe {
  let lost = true;
  const log = overlay(base, {
    journal: async (of, after, options) => {
      const all = await base.journal(of, 0, options);
      const left = lost && of.key === "a" ? all.filter(isThere) : all;
      return left.filter(({ revision }) => revision > after);
    },
  });
  const troupe = createTroupe(log);
  onTestFinished(() => {
    lost = false;
    return troupe.close();
  });
  return troupe;
}

describe("a journal with a hole", () => {
  it.each([
    ["its head", (_: JournalEntry, index: number) => index >= 2, { expected: 1, found: 3 }],
    ["its middle", (_: JournalEntry, index: number) => index !== 2, { expected: 3, found: 4 }],
  ])("that lost %s keeps its agent waiting and is told", async (_, isThere, numbers) => {
    const broker = await fiveTurns();
    const troupe = clientOf(broker.connect(), isThere);
    const faults: (InspectionEvent & { kind: "fault" })[] = [];
    troupe.inspect((event) => event.kind === "fault" && faults.push(event));
    await troupe.work(account, quick);
    await troupe.send(account, "a").add(10);
    await vi.waitFor(() => expect(faults.length).toBeGreaterThan(1));
    expect(faults[0]).toMatchObject({
      what: "activation of account/a",
      failure: { code: "journal-hole", details: { agent: "account/a", ...numbers } },
    });
    // Its neighbour goes on, and nothing was stored for the agent itself.
    expect(await troupe.agent(account, "b").add(1)).toBe(1);
    const kinds = broker.entries().map((entry) => (entry.kind === "turn" ? entry.agent.key : ""));
    expect(kinds.filter((key) => key === "a")).toHaveLength(5);
  });

  it("stops a replay there, and the listing of turns", async () => {
    const troupe = clientOf((await fiveTurns()).connect(), (_, index) => index !== 2);
    const states: unknown[] = [];
    const replayed = (async () => {
      for await (const { state } of troupe.replay(account, "a")) states.push(state);
    })();
    await expect(replayed).rejects.toThrow(JournalHoleError);
    expect(states).toEqual([{ sum: 10 }, { sum: 20 }]);
    await expect(Array.fromAsync(troupe.turns("account", "a"))).rejects.toMatchObject({
      code: "journal-hole",
    });
  });
});
