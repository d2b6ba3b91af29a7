/**
 * Time as the engine sees it, so that tests and simulation can bring their own.
 *
 * The time of day may jump, also backwards. So it is only used for what is told to others: times in
 * records, deadlines and timers. A duration is measured with `monotonicMs`, and waiting is always
 * for a delay.
 */

export interface Clock {
  /** The time of day in milliseconds since the epoch. */
  now(): number;
  /** Milliseconds since some moment in the past; never goes back, whatever becomes of `now`. */
  monotonicMs(): number;
  /** Call `action` once after `delayMs`; returns the function that cancels it. */
  after(delayMs: number, action: () => void): () => void;
}

export const systemClock: Clock = Object.freeze({
  now: () => Date.now(),
  monotonicMs: () => performance.now(),
  after(delayMs: number, action: () => void) {
    let timer: NodeJS.Timeout;
    // A longer delay than timers know would end at once, so it is waited for in parts.
    const wait = (leftMs: number): void => {
      timer =
        leftMs > partMsMax
          ? setTimeout(() => wait(leftMs - partMsMax), partMsMax)
          : setTimeout(action, leftMs);
    };
    wait(delayMs);
    return () => clearTimeout(timer);
  },
});

const partMsMax = 2 ** 31 - 1;
