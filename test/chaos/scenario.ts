/** Surroundings that every scenario gets, and how much happens in it. */

export interface ScenarioRun {
  readonly seed: number;
  /** Time under load, in minutes. */
  readonly minutes: number;
  /** Told a few times a second how it goes. */
  readonly onProgress?: (progress: Progress) => void;
}

export interface Progress {
  readonly phase: "starting" | "under load" | "finishing" | "checking";
  readonly accepted: number;
  readonly records: number;
  readonly workers: number;
  readonly workerKills: number;
  readonly brokerKills: number;
  readonly maxStallMs: number;
}

/** So many faults for this time, at least one. */
export function countFor(perMinute: number, { minutes }: ScenarioRun): number {
  return Math.max(1, Math.round(perMinute * minutes));
}

/**
 * Time after which no further fault begins, however many are still to come: a run ends in any case.
 */
export function patienceMs({ minutes }: ScenarioRun): number {
  return minutes * 60_000 * 2 + 60_000;
}
