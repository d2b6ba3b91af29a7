/**
 * Cold activation: how long an agent takes to come back to memory, by the length of its history,
 * with a snapshot and without. Every agent is asked once, by a worker that has never seen it.
 */
import { agent, createTroupe, systemClock } from "@troupe/core";
import type { Clock, Log } from "@troupe/core";
import { z } from "zod";

import type { BenchRow } from "./measure.ts";
import { percentile } from "./measure.ts";
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

/**
 * Times in fractions of a millisecond, so that the inspection feed's figures mean something here.
 */
const preciseClock: Clock = {
  ...systemClock,
  now: () => performance.timeOrigin + performance.now(),
};

export interface ActivationSize {
  /** Events of history; one row each. */
  readonly histories: readonly number[];
  readonly agents: number;
}

export async function benchActivation(
  stage: Stage,
  { agents, histories }: ActivationSize,
): Promise<readonly BenchRow[]> {
  const rows: BenchRow[] = [];
  for (const events of histories) {
    const withSnapshot = await activationMs(stage, events, agents, 1);
    const without = await activationMs(stage, events, agents, Infinity);
    const ours = percentile(withSnapshot, 0.5);
    const theirs = percentile(without, 0.5);
    rows.push({
      name: `activation-${events}`,
      unit: "ms",
      ours: Number(ours.toPrecision(3)),
      versus: `without snapshot; ${events} events, goal: below 1 ms`,
      theirs: Number(theirs.toPrecision(3)),
      ratio: Number((theirs / ours).toPrecision(3)),
      spread: Number(
        ((percentile(withSnapshot, 0.95) - percentile(withSnapshot, 0.05)) / ours).toPrecision(3),
      ),
      reached: ours < 1,
      goal: "< 1 ms",
    });
  }
  return rows;
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
  await using troupe = createTroupe(await stage.reopen(namespace), { clock: preciseClock });
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
