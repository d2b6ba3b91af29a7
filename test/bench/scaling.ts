/** Turns per second of one, two and four worker processes on this machine. */
import { availableParallelism } from "node:os";

import type { Bench, Benchmark } from "./benchmark.ts";
import { flood } from "./flood.ts";
import type { BenchRow } from "./measure.ts";
import { compared, measured } from "./measure.ts";
import { countReplies } from "./replies.ts";
import type { Stage } from "./stage.ts";

export const scaling: Benchmark = {
  name: "scaling",
  what: "Turns per second by the number of worker processes; broker and workers share the cores.",
  parts: [{ rows: "scaling", run: byWorkers }],
};

async function byWorkers({ progress, quick, stage }: Bench): Promise<readonly BenchRow[]> {
  const turns = quick ? 30_000 : 150_000;
  const rates: Record<1 | 2 | 4, number[]> = { 1: [], 2: [], 4: [] };
  await rateOf(stage, 1, turns / 5);
  for (let round = 0; round < (quick ? 1 : 3); round++) {
    for (const workers of [1, 2, 4] as const) {
      const rate = await rateOf(stage, workers, turns);
      progress(`${workers} worker(s): ${Math.round(rate)} turns/s`);
      rates[workers].push(rate);
    }
  }
  const cores = `${availableParallelism()} cores, shared by workers, broker and the counting of replies`;
  const versus = `1 worker; ${cores}`;
  const row = { unit: "turns/s", better: "more" } as const;
  return [
    measured({ name: "scaling-1", unit: row.unit, ours: rates[1], versus: cores }),
    compared({ ...row, name: "scaling-2" }, versus, rates[2], rates[1]),
    compared({ ...row, name: "scaling-4" }, versus, rates[4], rates[1]),
  ];
}

/** From the word to go, which all hear at once, to the last reply. */
async function rateOf(stage: Stage, workers: number, turns: number): Promise<number> {
  const { log, namespace } = await stage.freshLog();
  const replies = countReplies(stage.raw, turns);
  await flood(stage.raw, { namespace, keys: 1000, count: turns, replyTo: replies.address });
  const programs = await Promise.all(
    Array.from({ length: workers }, () => stage.startWorker({ namespace, isHeldBack: true })),
  );
  const startedAt = performance.now();
  for (const program of programs) program.tell("go");
  await replies.all;
  const seconds = (performance.now() - startedAt) / 1000;
  await Promise.all(programs.map((program) => program.stop()));
  await log.close();
  await stage.drop(namespace);
  return turns / seconds;
}
