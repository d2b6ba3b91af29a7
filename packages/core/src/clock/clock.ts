/** Time as the engine sees it, so that tests and simulation can bring their own. */

export interface Clock {
  /** Milliseconds since the epoch. */
  now(): number;
  /** Call `action` once after `delayMs`; returns the function that cancels it. */
  after(delayMs: number, action: () => void): () => void;
}

export const systemClock: Clock = Object.freeze({
  now: () => Date.now(),
  after(delayMs: number, action: () => void) {
    const timer = setTimeout(action, delayMs);
    return () => clearTimeout(timer);
  },
});
