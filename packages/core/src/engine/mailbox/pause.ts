/**
 * A wait of a mailbox that may be cut short: before the next try, or for more to come. At most one
 * at a time.
 */
import type { Clock } from "../../clock/clock.ts";

export class Pause {
  readonly #clock: Clock;
  #cancel: (() => void) | undefined;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  start(delayMs: number, then: () => void): void {
    this.#cancel = this.#clock.after(delayMs, () => {
      this.#cancel = undefined;
      then();
    });
  }

  /** Cancels the pause, and the action that was to follow. Returns whether there was a pause. */
  cancel(): boolean {
    const cancel = this.#cancel;
    this.#cancel = undefined;
    cancel?.();
    return cancel !== undefined;
  }
}
