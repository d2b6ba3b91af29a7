/**
 * Cold activation: how long an agent takes to come back to memory, by the length of its history,
 * with a snapshot and without. Every agent is asked once, by a worker that has never seen it.
 */
import { agent, createTroupe } from "@troupe/core";
import type { Log } from "@troupe/core/log";
import { z } from "zod";

import type { Bench, Benchmark } from "./benchmark.ts";
import type { Goal } from "./goal.ts";
import { below } from "./goal.ts";
import type { BenchRow } from "./measure.ts";
import { compared, percentile } from "./measure.ts";
import type { Stage } from "./stage.ts";

const meter = agent("meter")
  .state({ readings: 0, sum: 0 })
  .event("read", z.number(), ({ readings, sum }, value) => ({
    readings: readings + 1,
    sum: sum + value,
  }))
  .on("read", z.object({ count: z.number() }), (ctx, { count }) => {
    for (let i = 0; i < count; i++) ctx.emit.read(i);
    return ctx.state.readings;
  });

const eventsPerTurn = 100;
const atOnce = 8;

export const activation: Benchmark = {
  name: "activation",
  what: "From the first message of a cold agent to its state being in memory, by length of history.",
  parts: [10, 10_000, 100_000].map((events) => ({
    rows: `activation-${events}`,
    run: (bench) => cold(bench, events),
  })),
};

async function cold(
  { progress, quick, stage }: Bench,
  events: number,
): Promise<readonly BenchRow[]> {
  if (quick && events > 10_000) return [];
  const agents = quick ? 20 : 50;
  const withSnapshot = await activationMs(stage, events, agents, 1);
  progress(`${events} events, with snapshot p50 ${percentile(withSnapshot, 0.5).toFixed(2)} ms`);
  const without = await activationMs(stage, events, agents, Infinity);
  progress(`${events} events, without p50 ${percentile(without, 0.5).toFixed(2)} ms`);
  const tail = (quantile: number, goal?: Goal): BenchRow =>
    compared(
      { name: `activation-${events}-p${quantile * 100}`, unit: "ms", better: "less", goal },
      `without snapshot; ${events} events`,
      [percentile(withSnapshot, quantile)],
      [percentile(without, quantile)],
    );
  return [tail(0.5, below(1)), tail(0.99)];
}

async function activationMs(
  stage: Stage,
  events: number,
  agents: number,
  snapshotTurns: number,
): Promise<readonly number[]> {
  const { log, namespace } = await stage.freshLog();
  await fill(log, { events, agents, snapshotTurns });
  const tookMs: number[] = [];
  await using troupe = createTroupe(await stage.reopen(namespace));
  troupe.inspect((event) => {
    if (event.kind === "agent.activated") tookMs.push(event.tookMs);
  });
  await troupe.work(meter, { timings: { joinDelayMs: 0 } });
  for (let i = 0; i < agents; i++) await troupe.agent(meter, `m${i}`).read({ count: 1 });
  // The first ones are slow because the code is new to the engine, not because the agents are cold.
  return tookMs.slice(Math.floor(agents / 5));
}

async function fill(
  log: Log,
  { events, agents, snapshotTurns }: { events: number; agents: number; snapshotTurns: number },
): Promise<void> {
  const wanted = snapshotTurns === Infinity ? 0 : agents;
  const done = Promise.withResolvers<void>();
  const complete = new Set<string>();
  const turns = Math.ceil(events / eventsPerTurn);
  await using troupe = createTroupe(log);
  troupe.inspect((event) => {
    if (event.kind === "snapshot.saved" && event.turns === turns) complete.add(event.agent.key);
    if (complete.size >= wanted) done.resolve();
  });
  // One at a time per agent: a snapshot is taken after every commit, so the last turn has one.
  await troupe.work(meter, { snapshotTurns, timings: { joinDelayMs: 0 } });
  const one = async (key: string): Promise<void> => {
    for (let turn = 0; turn < turns; turn++) {
      const count = Math.min(eventsPerTurn, events - turn * eventsPerTurn);
      await troupe.agent(meter, key).read({ count });
    }
  };
  // Few at a time: a worker saves only some snapshots at once, and the last turn of each agent
  // needs one.
  for (let from = 0; from < agents; from += atOnce) {
    const keys = Array.from({ length: Math.min(atOnce, agents - from) }, (_, i) => `m${from + i}`);
    await Promise.all(keys.map(one));
  }
  if (wanted > 0) await done.promise;
}
