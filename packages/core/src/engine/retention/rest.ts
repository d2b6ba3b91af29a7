/** A rest between two steps of a retention, which ends at once when its worker stops. */
import type { Clock } from "../../clock/clock.ts";

/** Resolves after the delay, or when the signal is aborted; no timer is left then. */
export function rest(clock: Clock, delayMs: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) return resolve();
    const end = (): void => {
      cancel();
      signal.removeEventListener("abort", end);
      resolve();
    };
    const cancel = clock.after(delayMs, end);
    signal.addEventListener("abort", end, { once: true });
  });
}
