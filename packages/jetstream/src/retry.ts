/** Trying an idempotent request again until it is answered. */
import { setTimeout as sleep } from "node:timers/promises";

import { LogUnavailableError } from "@troupe/core/errors";

export interface RetryOptions {
  /** Total time for all attempts, in milliseconds. */
  readonly timeoutMs: number;
  readonly signal?: AbortSignal | undefined;
}

const firstPauseMs = 10;
const pauseMsMax = 1000;

/** Milliseconds between so many attempts and the next one, before the jitter. */
export function pauseMsAfter(attempts: number): number {
  return Math.min(firstPauseMs * 2 ** (attempts - 1), pauseMsMax);
}

/**
 * Runs `attempt` until it does not end with a LogUnavailableError, the time is up or the signal
 * fires; then the last such error is thrown. Pauses double, with jitter so that many clients do not
 * come back at once.
 */
export async function retryUnavailable<T>(
  attempt: () => Promise<T>,
  options: RetryOptions,
): Promise<T> {
  const deadline = performance.now() + options.timeoutMs;
  for (let attempts = 1; ; attempts++) {
    const pauseMs = pauseMsAfter(attempts);
    try {
      return await attempt();
    } catch (error) {
      if (!(error instanceof LogUnavailableError)) throw error;
      if (options.signal?.aborted === true || performance.now() + pauseMs > deadline) throw error;
    }
    await pause(pauseMs * (0.5 + Math.random()), options.signal);
  }
}

/** Ends early, without an error, when the signal fires: the next attempt reports what happened. */
async function pause(ms: number, signal: AbortSignal | undefined): Promise<void> {
  try {
    await sleep(ms, undefined, signal === undefined ? {} : { signal });
  } catch {
    // Aborted.
  }
}
