/** Asks that their turn did not wait for are called back once it is stored, and never before. */
import { describe, expect, it } from "vitest";
import { z } from "zod";

import type { Troupe } from "@troupe/core";
import type { AgentDefinition } from "@troupe/core/engine";
import type { Log } from "@troupe/core/log";
import { agent, createTroupe, Reject } from "@troupe/core";
import { resumeDraft } from "@troupe/core/operate";
import type { MemoryBroker } from "@troupe/testing";
import { createMemoryBroker, overlay } from "@troupe/testing";

const quick = {
  timings: { joinDelayMs: 0, deadAfterMs: 200, heartbeatMs: 50, handoverTimeoutMs: 100 },
  retry: { attemptsMax: 2, delayMs: 1, delayMsMax: 2 },
} as const;

async function work(log: Log, definitions: readonly AgentDefinition[]): Promise<Troupe> {
  const troupe = createTroupe(log);
  await troupe.work(definitions, quick);
  return troupe;
}

/** An agent that answers `work` when it is let, and says whether it was called back. */
function slowAgent() {
  const [begun, open] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
  const ended = Promise.withResolvers<string>();
  const runs: string[] = [];
  const slow = agent("slow")
    .on("work", z.string(), async ({ signal }, text) => {
      runs.push(text);
      begun.resolve();
      const calledBack = new Promise<void>((resolve) => {
        signal.addEventListener("abort", () => resolve());
      });
      await Promise.race([open.promise, calledBack]);
      ended.resolve(signal.aborted ? "called back" : "answered");
      return `${text} is done`;
    })
    .on("hello", z.object({}), () => "free");
  return { slow, begun: begun.promise, open: open.resolve, ended: ended.promise, runs };
}

const quickest = agent("quickest").on("work", z.object({}), () => "first");

function lettersOf(broker: MemoryBroker): readonly string[] {
  return broker
    .entries()
    .flatMap((entry) => (entry.kind === "dead-letter" ? [entry.deadLetter.failure.code] : []));
}

describe("an ask that its turn leaves open", () => {
  it("is called back when the turn is stored, and who was asked is free", async () => {
    const { slow, begun, ended } = slowAgent();
    const boss = agent("boss").on("go", z.object({}), async (ctx) => {
      const both = [ctx.ask(slow, "s").work("it"), ctx.ask(quickest, "q").work({})];
      await begun;
      return Promise.race(both);
    });
    const broker = createMemoryBroker();
    await using troupe = await work(broker.connect(), [slow, quickest, boss]);
    expect(await troupe.agent(boss, "b").go({})).toBe("first");
    expect(await ended).toBe("called back");
    expect(await troupe.agent(slow, "s").hello({})).toBe("free");
    expect(lettersOf(broker)).toEqual(["ask-cancelled"]);
  });

  it.each(["handled", "given up"])(
    "is not called back before its turn is stored as %s: the next run waits for it",
    async (outcome) => {
      const { begun, open, runs, slow } = slowAgent();
      const over = Promise.withResolvers<void>();
      let times = 0;
      const boss = agent("boss").on("go", z.object({}), async (ctx) => {
        times += 1;
        const asked = ctx.ask(slow, "s").work("it");
        await begun;
        if (times > 1) {
          open();
          return asked;
        }
        over.resolve();
        if (outcome === "given up") throw new Reject("changed my mind");
        return "without it";
      });
      const broker = createMemoryBroker();
      await using second = await work(broker.connect(), [slow]);
      const dying = broker.connect();
      const ended = Promise.withResolvers<void>();
      let isOver = false;
      void over.promise.then(() => (isOver = true));
      // It ends when it was about to store the turn.
      const crashing = overlay(dying, {
        commit: async (commits) => {
          if (!isOver) return dying.commit(commits);
          // Had it called the ask back, that would be on its way before the process ends.
          for (let n = 0; n < 20; n++) await new Promise(setImmediate);
          await dying.cell("anything");
          dying.crash();
          ended.resolve();
          return new Promise(() => undefined);
        },
      });
      await work(crashing, [boss]);
      const answer = second.agent(boss, "b").go({});
      await ended.promise;
      await second.work(boss, quick);
      expect(await answer).toBe("it is done");
      expect([times, runs]).toEqual([2, ["it"]]);
    },
  );

  it("is not called back when its agent is parked: resumed, it waits for the same ask", async () => {
    const { begun, open, runs, slow } = slowAgent();
    let isBroken = true;
    const boss = agent("boss").on(
      "go",
      z.object({}),
      async (ctx) => {
        const asked = ctx.ask(slow, "s").work("it");
        await begun;
        if (isBroken) throw new Error("broken");
        open();
        return asked;
      },
      { retry: { exhausted: "park" } },
    );
    const broker = createMemoryBroker();
    await using troupe = await work(broker.connect(), [slow, boss]);
    await expect(troupe.agent(boss, "b").go({})).rejects.toMatchObject({ code: "agent-parked" });
    isBroken = false;
    const handled = Promise.withResolvers<unknown>();
    troupe.inspect((event) => {
      if (event.kind !== "turn.committed" || event.agent.type !== "boss") return;
      handled.resolve(event.record.reply);
    });
    await troupe.log.accept(resumeDraft({ type: "boss", key: "b" }));
    expect(await handled.promise).toBe("it is done");
    expect(runs).toEqual(["it"]);
  });
});

describe("an ask that a message of a batch leaves open", () => {
  const pair = { batch: { size: 2, waitMs: 3_600_000 } };

  it("is called back when the batch is over", async () => {
    const { begun, ended, slow } = slowAgent();
    const bulk = agent("bulk").onBatch(
      "go",
      z.object({}),
      async (_, items) => {
        for (const item of items.slice(0, 1)) void item.ask(slow, "s").work("it");
        await begun;
        return items.map(() => "without it");
      },
      pair,
    );
    await using troupe = await work(createMemoryBroker().connect(), [slow, bulk]);
    const answers = ["a", "b"].map((key) => troupe.agent(bulk, key).go({}));
    expect(await Promise.all(answers)).toEqual(["without it", "without it"]);
    expect(await ended).toBe("called back");
  });

  it("goes on while the others of its batch may wait for it, and not longer", async () => {
    const first = slowAgent();
    const isStored = Promise.withResolvers<void>();
    const go = Promise.withResolvers<void>();
    let other: Promise<string> | undefined;
    const second = agent("second").on("work", z.string(), async ({ signal }, text) => {
      await new Promise((resolve) => signal.addEventListener("abort", resolve));
      late.resolve(text);
    });
    const late = Promise.withResolvers<string>();
    const bulk = agent("bulk").onBatch(
      "go",
      z.object({}),
      async (_, items) => {
        const given = items.find(({ agent: { key } }) => key === "given");
        if (given === undefined) throw new Error("It is not in the batch.");
        other = given.ask(first.slow, "s").work("it");
        void given.ask(second, "l").work("late");
        await first.begun;
        go.resolve();
        await isStored.promise;
        first.open();
        const answer = await other;
        return items.map(() => answer);
      },
      pair,
    );
    const broker = createMemoryBroker();
    await using troupe = await work(broker.connect(), [first.slow, second, bulk]);
    troupe.inspect((event) => {
      if (event.kind === "turn.committed" && event.agent.key === "given") isStored.resolve();
    });
    const asker = new AbortController();
    const given = troupe.agent(bulk, "given", { signal: asker.signal }).go({});
    const cancelled = given.catch((thrown: unknown) => thrown);
    const answer = troupe.agent(bulk, "other").go({});
    await go.promise;
    asker.abort();
    expect(await cancelled).toMatchObject({ code: "ask-cancelled" });
    expect(await answer).toBe("it is done");
    expect(await late.promise).toBe("late");
  });
});
