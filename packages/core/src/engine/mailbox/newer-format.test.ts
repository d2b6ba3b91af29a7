/** A journal that newer code wrote in a format which this code does not know (I15). */
import { expect, it, vi } from "vitest";
import { z } from "zod";

import type { InspectionEvent } from "@troupe/core";
import { agent, createTroupe } from "@troupe/core";
import { decodePayload, encodePayload } from "@troupe/core/log";
import { createMemoryBroker, overlay } from "@troupe/testing";

const quick = {
  timings: { joinDelayMs: 0 },
  retry: { attemptsMax: 1, delayMs: 1, delayMsMax: 2 },
} as const;

const account = agent("account")
  .state({ sum: 0 })
  .event("added", z.number(), (state, by) => ({ sum: state.sum + by }))
  .on("add", z.number(), async (ctx, by) => {
    await ctx.step("look", by, () => "seen");
    ctx.emit.added(by);
    return ctx.state.sum;
  });

/** The record as a later version of its format would begin. */
function newer(record: Uint8Array): Uint8Array {
  const wire = decodePayload(record, "application/msgpack") as { readonly v: number };
  return encodePayload({ ...wire, v: wire.v + 1 });
}

it.each([
  ["a step record", 0],
  ["a turn record", -1],
])("keeps its agent waiting and is told when %s is newer", async (_, which) => {
  const broker = createMemoryBroker({ partitions: 1 });
  {
    await using before = createTroupe(broker.connect());
    await before.work(account, quick);
    await before.agent(account, "a").add(10);
  }
  let isOld = true;
  const base = broker.connect();
  const log = overlay(base, {
    journal: async (of, after, options) => {
      const entries = await base.journal(of, after, options);
      const chosen = of.key === "a" && isOld ? entries.at(which) : undefined;
      return entries.map((each) =>
        each === chosen ? { ...each, record: newer(each.record) } : each,
      );
    },
  });
  await using troupe = createTroupe(log, { onFault: () => undefined });
  const faults: (InspectionEvent & { kind: "fault" })[] = [];
  troupe.inspect((event) => event.kind === "fault" && faults.push(event));
  await troupe.work(account, quick);
  const waiting = troupe.agent(account, "a").add(5);
  expect(await troupe.agent(account, "b").add(1)).toBe(1);
  await vi.waitFor(() => expect(faults.length).toBeGreaterThan(1));
  expect(faults[0]).toMatchObject({
    what: "activation of account/a",
    failure: { code: "undecodable-payload", message: expect.stringContaining("update Troupe") },
  });
  expect(broker.entries().filter(({ kind }) => kind === "dead-letter")).toEqual([]);

  // Newer code takes over.
  isOld = false;
  expect(await waiting).toBe(15);
});
