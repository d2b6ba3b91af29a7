/**
 * Turns that wait for each other: one is told so, soon, and the others go through (CYCLE-1 to
 * CYCLE-4).
 */
import assert from "node:assert/strict";

import { agent } from "@troupe/core";
import type { Agent } from "@troupe/core";
import type { LogCheck } from "../log-harness.ts";
import { rejectsWith } from "../observe.ts";
import { anything } from "./ledger.ts";
import { Stage } from "./stage.ts";

interface Asked {
  /** Agents to ask next, each asked by the one before it. */
  readonly next?: string;
}

type Walker = Agent<
  unknown,
  {},
  { go: { input: Asked; reply: unknown }; look: { input: null; reply: unknown } }
>;

/**
 * Walkers that all have begun before the first of them asks, so that each waits for the next one.
 */
function walkers(count: number): { readonly walker: Walker; readonly begun: () => number } {
  let begun = 0;
  const all = Promise.withResolvers<void>();
  const walker = agent("walker")
    .on("look", anything<null>(), (ctx) => ctx.agent.key)
    .on("go", anything<Asked>(), async (ctx, { next }): Promise<unknown> => {
      begun += 1;
      if (begun >= count) all.resolve();
      await all.promise;
      return ctx.ask(walker, next ?? "").look(null);
    }) as unknown as Walker;
  return { walker, begun: () => begun };
}

async function ringOf(stage: Stage, keys: readonly string[], hosts: number): Promise<void> {
  const { walker } = walkers(keys.length);
  const [first] = await Promise.all(
    Array.from({ length: hosts }, () => stage.host(walker, { retry: { attemptsMax: 1 } })),
  );
  assert.ok(first !== undefined);
  const asks = keys.map((key, index) => {
    const next = keys[(index + 1) % keys.length] ?? "";
    return first.troupe.agent(walker, key, { timeoutMs: 20_000 }).go({ next });
  });
  const outcomes = await Promise.allSettled(asks);
  const failed = outcomes.flatMap(({ status }, index) => (status === "rejected" ? [index] : []));
  // The one whose name comes first is given up, and nobody else.
  assert.deepEqual(failed, [keys.indexOf(keys.toSorted()[0] ?? "")]);
  await rejectsWith(asks[failed[0] ?? 0] ?? Promise.resolve(), "call-cycle");
}

export const callCycleChecks: readonly LogCheck[] = [
  {
    name: "CYCLE-3: of two agents that ask each other one is told, and the other goes through",
    async run(harness) {
      await using stage = new Stage(harness);
      await ringOf(stage, ["bob", "alice"], 1);
    },
  },
  {
    name: "CYCLE-1: four agents on two workers that wait for each other in a ring are found",
    async run(harness) {
      await using stage = new Stage(harness);
      await ringOf(stage, ["dora", "bob", "alice", "carl"], 2);
    },
  },
  {
    name: "CYCLE-2: agents that wait long for each other without a ring are left alone",
    async run(harness) {
      await using stage = new Stage(harness);
      const open = Promise.withResolvers<void>();
      const slow = agent("slow").on("go", anything<null>(), async () => {
        await open.promise;
        return "done";
      });
      const middle = agent("middle").on("go", anything<null>(), async (ctx) =>
        ctx.ask(slow, "one").go(null),
      );
      const { troupe } = await stage.host([slow, middle]);
      const asks = ["a", "b", "c"].map((key) => troupe.agent(middle, key).go(null));
      asks.push(troupe.agent(slow, "one").go(null));
      const log = await stage.log();
      let reports = 0;
      log.onWaits(() => (reports += 1));
      // A stranger tells of a ring that is none: an ask that nobody waits for is nobody's victim.
      const ring = [
        { caller: "middle/a", callee: "slow/one", ask: "stranger:1" },
        { caller: "slow/one", callee: "middle/a", ask: "stranger:2" },
      ];
      for (let i = 0; i < 5; i++) log.announceWaits({ worker: "stranger", waits: ring });
      await stage.until("it was heard", () => reports >= 5);
      open.resolve();
      assert.deepEqual(await Promise.all(asks), ["done", "done", "done", "done"]);
    },
  },
];
