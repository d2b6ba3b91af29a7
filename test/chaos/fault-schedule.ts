/** Faults of one sort at random moments, evenly spread over the run and never two at once. */
import { setTimeout as sleep } from "node:timers/promises";

import type { Random } from "./seeded-random.ts";

export interface FaultSchedule {
  readonly count: number;
  /**
   * Time within which the faults begin, in milliseconds, unless they take longer than that
   * together.
   */
  readonly withinMs: number;
  readonly random: Random;
  /** Ends the schedule: once it fires, no further fault begins. */
  readonly signal: AbortSignal;
}

/** Resolves when the last fault is over. */
export async function inject(schedule: FaultSchedule, fault: () => Promise<void>): Promise<void> {
  const startedAt = performance.now();
  for (const momentMs of momentsOf(schedule)) {
    const waitMs = Math.max(0, startedAt + momentMs - performance.now());
    await sleep(waitMs, undefined, { signal: schedule.signal }).catch(() => undefined);
    if (schedule.signal.aborted) return;
    await fault();
  }
}

/** Moments, one in each of `count` equal parts of the time. */
function momentsOf({ count, random, withinMs }: Omit<FaultSchedule, "signal">): number[] {
  return Array.from({ length: count }, (_, i) => ((i + random()) / count) * withinMs);
}
