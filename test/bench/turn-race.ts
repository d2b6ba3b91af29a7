/**
 * A race over the same deposits: a Troupe worker, or a loop written by hand on the raw client.
 * The clock runs from the start of the worker to the last reply.
 */
import { createTroupe } from "@troupe/core";
import type { WorkerOptions } from "@troupe/core";
import type { AgentDefinition } from "@troupe/core/engine";

import { account, preload } from "./ledger.ts";
import type { Load } from "./ledger.ts";
import type { RawCommit } from "./raw-loop.ts";
import { startRawLoop } from "./raw-loop.ts";
import { countReplies } from "./replies.ts";
import type { Stage } from "./stage.ts";

/** Cost of a race; all but the first per turn. */
export interface TurnFigures {
  readonly turnsPerSecond: number;
  /** Microseconds. */
  readonly processCpuUs: number;
  /** Microseconds; NaN where the system does not tell. */
  readonly brokerCpuUs: number;
  /** Bytes that the broker received and sent. */
  readonly wireBytes: number;
  /** Bytes that the stream grew by. */
  readonly storedBytes: number;
}

export interface TurnRace extends Pick<Load, "keys" | "payload"> {
  readonly turns: number;
  /** Definition of the agent that handles the deposits. @default the account of the ledger */
  readonly definition?: AgentDefinition;
  /** Of its worker. */
  readonly worker?: WorkerOptions;
  readonly progress: (line: string) => void;
}

/** A worker of ours. */
export async function raceTroupe(stage: Stage, race: TurnRace): Promise<TurnFigures> {
  const { log, namespace } = await stage.freshLog();
  const replies = countReplies(stage.raw, race.turns);
  await preload(log, { ...race, count: race.turns, replyTo: replies.address });
  const troupe = createTroupe(log);
  const figures = await timed(stage, { ...race, namespace, who: "ours" }, async () => {
    await troupe.work(race.definition ?? account, { timings: { joinDelayMs: 0 }, ...race.worker });
    await replies.all;
  });
  await troupe.close();
  await stage.drop(namespace);
  return figures;
}

/** The loop by hand. */
export async function raceRaw(
  stage: Stage,
  race: TurnRace,
  commit: RawCommit,
): Promise<TurnFigures> {
  const { log, names, namespace } = await stage.freshLog();
  const replies = countReplies(stage.raw, race.turns);
  await preload(log, { ...race, count: race.turns, replyTo: replies.address });
  const figures = await timed(stage, { ...race, namespace, who: commit }, async () => {
    const loop = await startRawLoop(stage.raw, {
      stream: names.stream,
      inputsOf: (partition) => names.partition(partition),
      journals: `${namespace}.0.journal.raw`,
      partitions: log.partitions,
      commit,
    });
    await replies.all;
    await loop.stop();
  });
  await log.close();
  await stage.drop(namespace);
  return figures;
}

async function timed(
  stage: Stage,
  { namespace, progress, turns, who }: TurnRace & { namespace: string; who: string },
  run: () => Promise<void>,
): Promise<TurnFigures> {
  const [wireBefore, storedBefore] = await bytesOf(stage, namespace);
  const brokerBefore = stage.brokerCpuSeconds();
  const cpuBefore = process.cpuUsage();
  const startedAt = performance.now();
  await run();
  const seconds = (performance.now() - startedAt) / 1000;
  const cpu = process.cpuUsage(cpuBefore);
  const brokerSeconds = stage.brokerCpuSeconds() - brokerBefore;
  const [wire, stored] = await bytesOf(stage, namespace);
  const figures: TurnFigures = {
    turnsPerSecond: turns / seconds,
    processCpuUs: (cpu.user + cpu.system) / turns,
    brokerCpuUs: (brokerSeconds * 1e6) / turns,
    wireBytes: (wire - wireBefore) / turns,
    storedBytes: (stored - storedBefore) / turns,
  };
  const { brokerCpuUs, processCpuUs, turnsPerSecond } = figures;
  progress(
    `${who.padEnd(8)} ${Math.round(turnsPerSecond)} turns/s, CPU per turn: process ${processCpuUs.toFixed(1)} µs, broker ${brokerCpuUs.toFixed(1)} µs`,
  );
  return figures;
}

async function bytesOf(stage: Stage, namespace: string): Promise<readonly [number, number]> {
  return [await stage.brokerWireBytes(), await stage.storedBytes(namespace)];
}
