/**
 * Change of speed and latency with the number of keys, the size of a message and the length of
 * history. Every point is a fresh log whose journals were filled beforehand, and one worker.
 */
import { createTroupe } from "@troupe/core";
import { encodePayload } from "@troupe/core/log";
import type { Troupe } from "@troupe/core";

import type { Bench, Benchmark } from "./benchmark.ts";
import { fillJournals } from "./fill-journals.ts";
import { flood } from "./flood.ts";
import { growthCharts } from "./growth-charts.ts";
import { latenciesMs, quantiles } from "./latency.ts";
import { account } from "./ledger.ts";
import type { BenchRow } from "./measure.ts";
import { compared } from "./measure.ts";
import { countReplies } from "./replies.ts";

export const growth: Benchmark = {
  name: "growth",
  what: "Turns per second and latency against keys, payload bytes and turns of history.",
  parts: [
    { rows: "growth-keys", run: byKeys, minutesMax: 6 },
    { rows: "growth-payload", run: byPayload },
    { rows: "growth-history", run: byHistory },
  ],
  charts: growthCharts,
};

interface Point {
  readonly keys: number;
  /** Turns in each key's journal before the first message. */
  readonly history: number;
  readonly payloadBytes: number;
  /** Turns to be measured. */
  readonly turns: number;
}

interface PointFigures {
  readonly turnsPerSecond: number;
  readonly coldP50: number;
  readonly p50: number;
  readonly p99: number;
}

function byKeys(bench: Bench): Promise<readonly BenchRow[]> {
  const keys = bench.quick ? [1000, 10_000, 100_000] : [1000, 10_000, 100_000, 1_000_000];
  return points(bench, "keys", keys, (each) => ({
    keys: each,
    history: 1,
    payloadBytes: 200,
    turns: bench.quick ? 10_000 : 40_000,
  }));
}

function byPayload(bench: Bench): Promise<readonly BenchRow[]> {
  return points(bench, "payload", [100, 1000, 10_000, 65_536], (payloadBytes) => ({
    keys: 1000,
    history: 1,
    payloadBytes,
    turns: Math.min(bench.quick ? 10_000 : 40_000, Math.floor(1e8 / payloadBytes)),
  }));
}

function byHistory(bench: Bench): Promise<readonly BenchRow[]> {
  const lengths = bench.quick ? [10, 100, 1000, 10_000] : [10, 100, 1000, 10_000, 100_000];
  return points(bench, "history", lengths, (history) => ({
    keys: 5,
    history,
    payloadBytes: 200,
    turns: bench.quick ? 5000 : 20_000,
  }));
}

async function points(
  { progress, quick, stage }: Bench,
  dimension: string,
  sizes: readonly number[],
  pointOf: (size: number) => Point,
): Promise<readonly BenchRow[]> {
  const rows: BenchRow[] = [];
  const [smallest = 1] = sizes;
  const versus = `${dimension} ${smallest}; messages are spread over all keys, no snapshots at first`;
  // Everything is new to the engine once.
  await onFreshLog({ stage, quick }, pointOf(smallest));
  let first: PointFigures | undefined;
  for (const size of sizes) {
    const figures = await onFreshLog({ stage, quick }, pointOf(size));
    first ??= figures;
    const { coldP50, p50, p99, turnsPerSecond } = figures;
    progress(
      `${dimension} ${size}: ${Math.round(turnsPerSecond)} turns/s, ask p50 ${p50.toFixed(2)}, p99 ${p99.toFixed(2)}, cold ${coldP50.toFixed(2)} ms`,
    );
    rows.push(...rowsOf(`growth-${dimension}-${size}`, versus, figures, first));
  }
  return rows;
}

async function onFreshLog(
  bench: Pick<Bench, "quick" | "stage">,
  point: Point,
): Promise<PointFigures> {
  const { log, namespace } = await bench.stage.freshLog();
  await fillJournals(log, { keys: point.keys, turns: point.history });
  const troupe = createTroupe(log);
  const figures = await measurePoint(bench, troupe, namespace, point);
  await troupe.close();
  await bench.stage.drop(namespace);
  return figures;
}

function rowsOf(
  name: string,
  versus: string,
  figures: PointFigures,
  first: PointFigures,
): readonly BenchRow[] {
  const row = (suffix: string, unit: string, of: keyof PointFigures): BenchRow => {
    const better = of === "turnsPerSecond" ? "more" : "less";
    const discipline = { name: `${name}-${suffix}`, unit, better } as const;
    return compared(discipline, versus, [figures[of]], [first[of]]);
  };
  return [
    row("turns", "turns/s", "turnsPerSecond"),
    row("p50", "ms", "p50"),
    row("p99", "ms", "p99"),
    row("cold", "ms", "coldP50"),
  ];
}

async function measurePoint(
  { quick, stage }: Pick<Bench, "quick" | "stage">,
  troupe: Troupe,
  namespace: string,
  { keys, payloadBytes, turns }: Point,
): Promise<PointFigures> {
  await troupe.work(account, { timings: { joinDelayMs: 0 } });
  const message = { amount: 5, text: "x".repeat(payloadBytes) };
  // From the far end, so that the load below does not find these awake when keys are few.
  const ask = (key: number): Promise<unknown> =>
    troupe.agent(account, `key-${key}`).deposit(message);
  const coldOnes = Math.min(keys, 100);
  let cold = keys;
  const coldMs = await latenciesMs({ count: coldOnes, call: () => ask(--cold) });
  const replies = countReplies(stage.raw, turns);
  const startedAt = performance.now();
  const payload = encodePayload(message);
  const load = { namespace, keys, count: turns, payload, replyTo: replies.address };
  await Promise.all([flood(stage.raw, load), replies.all]);
  const seconds = (performance.now() - startedAt) / 1000;
  let number = 0;
  const count = quick ? 300 : 1000;
  const stride = Math.max(1, Math.floor(keys / count));
  const call = (): Promise<unknown> => ask((number++ * stride) % keys);
  const { p50, p99 } = quantiles(await latenciesMs({ count, call }));
  return { turnsPerSecond: turns / seconds, coldP50: quantiles(coldMs).p50, p50, p99 };
}
