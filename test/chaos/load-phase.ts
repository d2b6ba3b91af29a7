/** The part all scenarios share: load and faults at the same time, until all faults are over. */
import { setTimeout as sleep } from "node:timers/promises";

import { inject } from "./fault-schedule.ts";
import type { Publisher } from "./publisher.ts";
import { patienceMs, type Progress, type ScenarioRun } from "./scenario.ts";
import { randomOf, type Random } from "./seeded-random.ts";
import type { StallWatch } from "./stall-watch.ts";
import type { WorkerPool } from "./worker-pool.ts";

/** Faults of one sort. */
export interface FaultPlan {
  readonly name: string;
  readonly count: number;
  readonly fault: (random: Random) => Promise<void>;
}

export interface Stage {
  readonly publisher: Publisher;
  readonly pool: WorkerPool;
  readonly watch: StallWatch;
  readonly faults: readonly FaultPlan[];
  readonly brokerKills: () => number;
}

/** Publishes until the time is up and the last fault is over; then all workers are there again. */
export async function underLoad(run: ScenarioRun, stage: Stage): Promise<void> {
  const { faults, pool, publisher, watch } = stage;
  const withinMs = run.minutes * 60_000;
  const loaded = new AbortController();
  const impatience = AbortSignal.timeout(patienceMs(run));
  const signal = AbortSignal.any([loaded.signal, impatience]);
  const reporting = report(run, stage, loaded.signal);
  const publishing = publisher.run(loaded.signal);
  try {
    const injecting = faults.map(({ count, fault, name }) => {
      const random = randomOf(run.seed, name);
      return inject({ count, withinMs, random, signal }, () => fault(random));
    });
    // A publisher that fails ends the run at once; otherwise it goes on until all are done.
    const enough = Promise.all([...injecting, sleep(withinMs, undefined, { signal })]);
    await Promise.race([enough, publishing]);
    await watch.stop();
  } finally {
    loaded.abort();
    await Promise.all([publishing, reporting]);
  }
  await pool.settled();
}

async function report(run: ScenarioRun, stage: Stage, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    run.onProgress?.(progressOf(stage, "under load"));
    await sleep(reportMs, undefined, { signal }).catch(() => undefined);
  }
  run.onProgress?.(progressOf(stage, "finishing"));
}

export function progressOf(stage: Stage, phase: Progress["phase"]): Progress {
  const { brokerKills, pool, publisher, watch } = stage;
  return {
    phase,
    accepted: publisher.accepted,
    records: watch.records,
    workers: pool.size,
    workerKills: pool.kills,
    brokerKills: brokerKills(),
    maxStallMs: watch.maxStallMs,
  };
}

const reportMs = 250;
