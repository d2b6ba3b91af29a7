/**
 * Memory bounded by `activationsMax`: many more keys than may stay, in one worker process, against
 * a worker that keeps them all.
 */
import type { Bench, Benchmark } from "./benchmark.ts";
import { flood } from "./flood.ts";
import { atMost } from "./goal.ts";
import type { BenchRow } from "./measure.ts";
import { compared, measured } from "./measure.ts";
import { countReplies } from "./replies.ts";
import type { Stage } from "./stage.ts";
import { accountOf, liveHeapOf } from "./worker-process-settings.ts";

export const memory: Benchmark = {
  name: "memory",
  what: "Agents in memory and their heap, when many more keys come than may stay.",
  parts: [{ rows: "memory", run: bounded, minutesMax: 4 }],
};

interface Memory {
  readonly largest: number;
  readonly left: number;
  /** Live heap before the first key and after the last one. */
  readonly heapBefore: number;
  readonly heapAfter: number;
}

async function bounded({ progress, quick, stage }: Bench): Promise<readonly BenchRow[]> {
  const keys = quick ? 40_000 : 100_000;
  const activationsMax = 10_000;
  const ours = await memoryOf(stage, keys, activationsMax);
  progress(`bound ${activationsMax}: at most ${ours.largest}, ${mib(ours.heapAfter)} MiB heap`);
  const theirs = await memoryOf(stage, keys, keys);
  progress(`bound ${keys}: at most ${theirs.largest}, ${mib(theirs.heapAfter)} MiB heap`);
  const versus = `activationsMax ${keys}; ours: activationsMax ${activationsMax}; ${keys} keys`;
  const pair = (name: string, unit: string, of: (memory: Memory) => number): BenchRow =>
    compared({ name, unit, better: "less" }, versus, [of(ours)], [of(theirs)]);
  return [
    measured({
      name: "memory-largest",
      unit: "agents",
      ours: ours.largest,
      versus: `activationsMax ${activationsMax}, ${keys} keys, one message each`,
      goal: atMost(activationsMax),
    }),
    pair("memory-after", "agents", ({ left }) => left),
    pair("memory-heap-before", "MiB", ({ heapBefore }) => mib(heapBefore)),
    pair("memory-heap-after", "MiB", ({ heapAfter }) => mib(heapAfter)),
    pair(
      "memory-heap-per-agent",
      "B",
      ({ heapAfter, heapBefore, left }) => (heapAfter - heapBefore) / left,
    ),
  ];
}

async function memoryOf(stage: Stage, keys: number, activationsMax: number): Promise<Memory> {
  const { log, namespace } = await stage.freshLog();
  const options = { activationsMax };
  await using worker = await stage.startWorker({ namespace, options, countsActivations: true });
  const heapBefore = await liveHeapOf(worker);
  const replies = countReplies(stage.raw, keys);
  await flood(stage.raw, { namespace, keys, count: keys, replyTo: replies.address });
  await replies.all;
  const heapAfter = await liveHeapOf(worker);
  const { activations: left, activationsLargest } = await accountOf(worker);
  await worker.stop();
  await log.close();
  await stage.drop(namespace);
  return { largest: activationsLargest, left, heapBefore, heapAfter };
}

function mib(bytes: number): number {
  return Math.round((bytes / 2 ** 20) * 10) / 10;
}
