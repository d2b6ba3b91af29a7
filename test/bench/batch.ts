/**
 * Batch handlers: what is gained when a call has a fixed cost of 1 ms, whether it is for one
 * deposit or for many. The cost is work of this process, or a wait, which single handlers do for
 * many keys at once.
 */
import { setTimeout as sleep } from "node:timers/promises";

import { agent } from "@troupe/core";
import type { AgentDefinition } from "@troupe/core/engine";
import { z } from "zod";

import type { Bench, Benchmark } from "./benchmark.ts";
import type { Goal } from "./goal.ts";
import { ratioAtLeast } from "./goal.ts";
import type { BenchRow } from "./measure.ts";
import { contest } from "./measure.ts";
import { raceTroupe } from "./turn-race.ts";

export const batch: Benchmark = {
  name: "batch",
  what: "Turns per second of a batch handler against a single one, when each call costs 1 ms.",
  parts: [
    { rows: "batch-work", run: (bench) => against(bench, "work", work, ratioAtLeast(3)) },
    { rows: "batch-wait", run: (bench) => against(bench, "wait", wait) },
  ],
};

const costMs = 1;

/** Work that every call has to do once. */
type FixedCost = () => Promise<void> | undefined;

function against(
  { progress, quick, stage }: Bench,
  name: string,
  cost: FixedCost,
  goal?: Goal,
): Promise<readonly BenchRow[]> {
  const race = { turns: quick ? 3000 : 6000, progress };
  const run = async (definition: AgentDefinition): Promise<number> =>
    (await raceTroupe(stage, { ...race, definition })).turnsPerSecond;
  return contest({
    name: `batch-${name}`,
    unit: "turns/s",
    better: "more",
    versus: `one call for each message; ${costMs} ms of ${name} per call, 1000 keys`,
    goal,
    rounds: quick ? 2 : 3,
    ours: () => run(batched(cost)),
    theirs: () => run(single(cost)),
  });
}

const deposit = z.object({ amount: z.number(), text: z.string() });

/** The account of all other benchmarks, without its cost. */
function empty() {
  return agent("account")
    .state({ balance: 0 })
    .event("deposited", z.object({ amount: z.number() }), ({ balance }, { amount }) => ({
      balance: balance + amount,
    }));
}

function single(cost: FixedCost): AgentDefinition {
  return empty().on("deposit", deposit, async (context, { amount }) => {
    await cost();
    context.emit.deposited({ amount });
    return context.state.balance;
  });
}

function batched(cost: FixedCost): AgentDefinition {
  return empty().onBatch("deposit", deposit, async (_context, items) => {
    await cost();
    return items.map((item) => {
      item.emit.deposited({ amount: item.data.amount });
      return item.state.balance;
    });
  });
}

function work(): undefined {
  const endsAt = performance.now() + costMs;
  while (performance.now() < endsAt);
}

async function wait(): Promise<void> {
  await sleep(costMs);
}
