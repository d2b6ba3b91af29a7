/**
 * Settings of a simulated world: those that the system leaves open are drawn, often so tight that
 * every bound is reached.
 */
import type { WorkerSettings } from "@troupe/core/engine";
import { workerSettings } from "@troupe/core/engine";
import type { MemoryBrokerOptions } from "../memory/broker-options.ts";
import type { Chance } from "./chance.ts";
import type { System } from "./system.ts";

export interface WorldSettings {
  readonly broker: MemoryBrokerOptions;
  readonly worker: WorkerSettings;
}

/** Presence that finds a dead worker soon, so that a run has few idle steps. */
const timings = Object.freeze({
  heartbeatMs: 500,
  deadAfterMs: 1600,
  joinDelayMs: 100,
  handoverTimeoutMs: 3000,
});

export function drawSettings(
  chance: Chance,
  { duplicates = {}, limits = {}, partitions = 4, settings = {} }: System,
): WorldSettings {
  const windowMax = settings.windowMax ?? chance.pick([1, 3, 1024]);
  const drawn = {
    windowMax,
    keyWindowMax: Math.min(windowMax, chance.pick([1, 2, 128])),
    handlersMax: chance.pick([1, 3, 1000]),
    runAheadMax: chance.pick([1, 3, 64]),
    activationsMax: chance.pick([1, 4, 100_000]),
    singlesMax: chance.pick([1, 3, 1024]),
    groupsMax: chance.pick([1, 2]),
    snapshotTurns: chance.pick([1, 3, 100]),
  };
  return {
    broker: {
      namespace: "simulation",
      duplicates,
      partitions,
      journalPageMax: chance.pick([1, 3, 256]),
      inputsAtOnceMax: chance.pick([1, 3, 64]),
      limits: { chainMin: chance.pick([2, 3, 16]), ...limits },
    },
    worker: workerSettings({
      ...drawn,
      ...settings,
      // Processes are killed at random, not by their messages.
      retry: { deathsMax: Infinity, ...settings.retry },
      timings: { ...timings, ...settings.timings },
    }),
  };
}
