/** Waiting for what must happen, and not longer than the harness has patience. */
import { setTimeout as pause } from "node:timers/promises";

import type { LogHarness } from "./log-harness.ts";

const patienceMsDefault = 10_000;
const pollMs = 3;

/** Resolves as soon as the condition holds. @throws Error saying what did not happen in time */
export async function until(
  harness: LogHarness,
  what: string,
  condition: () => boolean | Promise<boolean>,
): Promise<void> {
  const end = performance.now() + patienceMs(harness);
  while (!(await condition())) {
    if (performance.now() > end) throw new Error(`This did not happen in time: ${what}.`);
    await pause(pollMs);
  }
}

/** The promise's result. @throws Error saying what did not happen in time */
export async function inTime<T>(
  harness: LogHarness,
  what: string,
  promise: Promise<T>,
): Promise<T> {
  const end = new AbortController();
  const late = pause(patienceMs(harness), undefined, { signal: end.signal }).then(() => {
    throw new Error(`This did not happen in time: ${what}.`);
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    late.catch(() => undefined);
    end.abort();
  }
}

function patienceMs(harness: LogHarness): number {
  return harness.patienceMs ?? patienceMsDefault;
}
