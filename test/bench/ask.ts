/**
 * The latency of asks, one at a time and many at once, against the least that could answer durably
 * (bare-responder.ts).
 */
import { createTroupe } from "@troupe/core";

import { startBareResponder } from "./bare-responder.ts";
import type { Bench, Benchmark } from "./benchmark.ts";
import type { Goal } from "./goal.ts";
import { ratioAtLeast } from "./goal.ts";
import { latenciesMs, quantiles } from "./latency.ts";
import { account, deposit } from "./ledger.ts";
import type { BenchRow, Discipline } from "./measure.ts";
import { match } from "./measure.ts";

export const ask: Benchmark = {
  name: "ask",
  what: "The latency of asks on 100 keys, by how many are on their way at once; from another connection, and from within the worker.",
  parts: [
    ...[1, 16, 256].map((inFlight) => ({
      rows: `ask-${inFlight}`,
      run: (bench: Bench) => atOnce(bench, { rows: `ask-${inFlight}`, inFlight, within: false }),
    })),
    {
      rows: "ask-within",
      run: (bench: Bench) => atOnce(bench, { rows: "ask-within", inFlight: 1, within: true }),
    },
  ],
};

interface AskPart {
  readonly rows: string;
  readonly inFlight: number;
  /** The asker shares the worker's connection, as one agent asking another one does. */
  readonly within: boolean;
}

async function atOnce(
  { progress, quick, stage }: Bench,
  { inFlight, rows, within }: AskPart,
): Promise<readonly BenchRow[]> {
  const { log, namespace } = await stage.freshLog();
  await using worker = createTroupe(log);
  await worker.work(account, { timings: { joinDelayMs: 0 } });
  await using client = createTroupe(await stage.reopen(namespace));
  const asker = within ? worker : client;
  const bare = await startBareResponder(stage.raw);
  const count = (quick ? 500 : 2000) * (inFlight === 1 ? 1 : 5);
  let number = 0;
  const ours = (): Promise<unknown> =>
    asker.agent(account, `key-${number++ % 100}`).deposit(deposit);
  const round = async (who: string, call: () => Promise<unknown>) => {
    const spread = quantiles(await latenciesMs({ count, inFlight, call }));
    progress(`${who} p50 ${spread.p50.toFixed(2)} ms, p99 ${spread.p99.toFixed(2)} ms`);
    return spread;
  };
  const discipline = (quantile: string, goal?: Goal): Discipline => ({
    name: `${rows}-${quantile}`,
    unit: "ms",
    better: "less",
    goal,
  });
  return await match({
    versus: `bare publish, ack and reply; ${inFlight} in flight`,
    rounds: quick ? 2 : 5,
    disciplines: {
      p50: discipline("p50", inFlight === 1 ? ratioAtLeast(0.5) : undefined),
      p95: discipline("p95"),
      p99: discipline("p99"),
    },
    ours: () => round("ours", ours),
    theirs: () => round("bare", () => bare.ask()),
  });
}
