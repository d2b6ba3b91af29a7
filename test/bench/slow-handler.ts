/**
 * A slow handler: one key's handler takes long, and the others of its own partition are asked
 * meanwhile: a slow agent must cost nobody else anything.
 */
import { createTroupe } from "@troupe/core";
import { partitionOfToken } from "@troupe/core/log";

import type { Bench, Benchmark } from "./benchmark.ts";
import type { Goal } from "./goal.ts";
import { ratioAtLeast } from "./goal.ts";
import { latenciesForMs, quantiles } from "./latency.ts";
import { account, deposit } from "./ledger.ts";
import type { BenchRow, Discipline } from "./measure.ts";
import { match } from "./measure.ts";

export const slowHandler: Benchmark = {
  name: "slow-handler",
  what: "The latency of asks to other keys of a partition, while one key has a slow handler.",
  parts: [{ rows: "slow-handler", run: besideTheSlow }],
};

async function besideTheSlow({ progress, quick, stage }: Bench): Promise<readonly BenchRow[]> {
  const { log } = await stage.freshLog();
  await using troupe = createTroupe(log);
  await troupe.work(account, { timings: { joinDelayMs: 0 } });
  const slow = "slow";
  const others = keysBeside(slow, 50, log.partitions);
  const handlerMs = quick ? 3000 : 30_000;
  let number = 0;
  const call = (): Promise<unknown> =>
    troupe.agent(account, others[number++ % others.length] ?? "").deposit(deposit);
  const row = (quantile: string, goal?: Goal): Discipline => ({
    name: `slow-handler-${quantile}`,
    unit: "ms",
    better: "less",
    goal,
  });
  return await match({
    versus: `no slow handler; ours: one of ${handlerMs / 1000} s in the same partition`,
    rounds: 2,
    disciplines: { p50: row("p50"), p99: row("p99", ratioAtLeast(0.8)) },
    async ours() {
      // It is before all asks on the log, so its handler runs before theirs.
      await troupe.send(account, slow).wait({ ms: handlerMs });
      const spread = quantiles(await latenciesForMs(handlerMs * 0.9, call));
      progress(`beside a slow one: p50 ${spread.p50.toFixed(2)}, p99 ${spread.p99.toFixed(2)} ms`);
      await troupe.agent(account, slow, { timeoutMs: handlerMs * 2 }).where({});
      return spread;
    },
    async theirs() {
      const spread = quantiles(await latenciesForMs(handlerMs / 3, call));
      progress(`without: p50 ${spread.p50.toFixed(2)}, p99 ${spread.p99.toFixed(2)} ms`);
      return spread;
    },
  });
}

/** Other keys of the same partition. */
function keysBeside(key: string, count: number, partitions: number): readonly string[] {
  const partition = partitionOfToken(key, partitions);
  const keys: string[] = [];
  for (let number = 0; keys.length < count; number++) {
    const other = `key-${number}`;
    if (partitionOfToken(other, partitions) === partition) keys.push(other);
  }
  return keys;
}
