/**
 * Lateness of durable timers: from the time that was asked for to the start of the handler, with
 * the clock of the worker. Spread evenly over a few seconds, and all due at one moment.
 */
import { agent, createTroupe } from "@troupe/core";
import { z } from "zod";

import type { Bench, Benchmark } from "./benchmark.ts";
import type { Goal } from "./goal.ts";
import { atLeast, atMost } from "./goal.ts";
import { quantiles } from "./latency.ts";
import type { Quantile } from "./latency.ts";
import { windowed } from "./ledger.ts";
import type { BenchRow } from "./measure.ts";
import { measured } from "./measure.ts";

export const timers: Benchmark = {
  name: "timers",
  what: "How late timers fire, from the time they are due to the start of the handler.",
  parts: [
    { rows: "timers-spread", run: (bench) => lateness(bench, "spread", 5000) },
    { rows: "timers-burst", run: (bench) => lateness(bench, "burst", 0) },
  ],
};

const setting = { perSecondAtLeast: 1000, marginMs: 2000 };

/** `spanMs` is the time between the first and the last timer. */
async function lateness(
  { progress, quick, stage }: Bench,
  name: string,
  spanMs: number,
): Promise<readonly BenchRow[]> {
  const count = quick ? 1000 : 10_000;
  const { log } = await stage.freshLog();
  const alarm = ringing(count);
  await using troupe = createTroupe(log);
  await troupe.work(alarm.agent, { timings: { joinDelayMs: 0 } });
  // All must be set before the first is due, or it would be late for that reason.
  const plannedMs = setting.marginMs + (count / setting.perSecondAtLeast) * 1000;
  const firstMs = Date.now() + Math.round(plannedMs);
  await windowed(count, 256, async (number) => {
    const atMs = firstMs + Math.round((spanMs * number) / count);
    await troupe.agent(alarm.agent, `key-${number % 1000}`).set({ atMs });
  });
  const leftMs = firstMs - Date.now();
  progress(`${count} timers are set, ${Math.round(leftMs)} ms before the first is due`);
  if (leftMs < 0) throw new Error(`Setting ${count} timers took longer than was planned for.`);
  const lateMs = await alarm.all;
  const spread = quantiles(lateMs);
  progress(`late p50 ${spread.p50} ms, p99 ${spread.p99} ms, max ${spread.max} ms`);
  const versus =
    spanMs === 0 ? `${count} timers due at one moment` : `${count} timers over ${spanMs} ms`;
  const goals: Partial<Record<Quantile, Goal>> =
    spanMs === 0 ? { max: atMost(5000) } : { p99: atMost(500) };
  const row = (what: string, ours: number, goal?: Goal): BenchRow =>
    measured({ name: `timers-${name}-${what}`, unit: "ms", ours, versus, goal });
  return [
    row("min", Math.min(...lateMs), atLeast(0)),
    ...(["p50", "p95", "p99", "max"] as const).map((each) => row(each, spread[each], goals[each])),
  ];
}

/** An agent that sets timers, and how late each of `count` of them was. */
function ringing(count: number) {
  const { promise, resolve } = Promise.withResolvers<readonly number[]>();
  const lateMs: number[] = [];
  const alarm = agent("alarm")
    .state({})
    .on("ring", z.object({ atMs: z.number() }), (_context, { atMs }) => {
      lateMs.push(Date.now() - atMs);
      if (lateMs.length === count) resolve(lateMs);
    })
    .on("set", z.object({ atMs: z.number() }), (context, { atMs }) => {
      context.at(atMs).ring({ atMs });
    });
  return { agent: alarm, all: promise };
}
