/**
 * Durable stateful turns per second: pull, fold, append, reply; 1000 keys, one replica, file
 * storage.
 */
import type { Bench, Benchmark } from "./benchmark.ts";
import { ratioAtLeast } from "./goal.ts";
import type { BenchRow } from "./measure.ts";
import { contest } from "./measure.ts";
import type { RawCommit } from "./raw-loop.ts";
import { raceRaw, raceTroupe } from "./turn-race.ts";

export const turns: Benchmark = {
  name: "turns",
  what: "Durable stateful turns: pull, fold, append, reply; 1000 keys, one replica, file storage.",
  parts: [
    {
      rows: "turns",
      run: (bench) => against(bench, "turns", "batches", 0.8),
    },
    {
      rows: "turns-strict",
      run: (bench) => against(bench, "turns-strict", "singles", 0.6),
    },
  ],
};

const versus: Readonly<Record<RawCommit, string>> = {
  batches: "raw loop: atomic batches, ack per message",
  singles: "raw loop: pipelined publishes, no acks",
};

async function against(
  { progress, quick, stage }: Bench,
  name: string,
  commit: RawCommit,
  goal: number,
): Promise<readonly BenchRow[]> {
  const race = { turns: quick ? 20_000 : 60_000, progress };
  return contest({
    name,
    unit: "turns/s",
    better: "more",
    versus: versus[commit],
    goal: ratioAtLeast(goal),
    rounds: quick ? 2 : 5,
    ours: async () => (await raceTroupe(stage, race)).turnsPerSecond,
    theirs: async () => (await raceRaw(stage, race, commit)).turnsPerSecond,
  });
}
