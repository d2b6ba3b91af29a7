/** Time as the engine sees it, so that tests and simulation can bring their own. */

export interface Clock {
  /** Milliseconds since the epoch. */
  now(): number;
  /** Call `action` once after `delayMs`; returns the function that cancels it. */
  after(delayMs: number, action: () => void): () => void;
}

const delayMsMax = 2 ** 31 - 1;

export const systemClock: Clock = Object.freeze({
  now: () => Date.now(),
  after(delayMs: number, action: () => void) {
    // A longer delay than timers know would end at once.
    const timer = setTimeout(action, Math.min(delayMs, delayMsMax));
    return () => clearTimeout(timer);
  },
});
