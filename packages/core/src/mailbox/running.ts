/**
 * One call of a handler that is under way, and the turns it is for.
 *
 * The first of the handler and its time limit decides how the call ends. A call that is given up
 * still ends: until then nothing else of the agent may run (I2).
 */
import type { Clock } from "../clock/clock.ts";
import type { Turn } from "../turn/turn.ts";

/** How a call ended. */
export interface Ending {
  readonly failed: boolean;
  /** The reply, or what was thrown. */
  readonly value: unknown;
}

export class Running {
  readonly turns: readonly [Turn, ...Turn[]];
  #ended = false;
  #cancelTimeout: (() => void) | undefined;

  constructor(turns: readonly [Turn, ...Turn[]]) {
    this.turns = turns;
  }

  /** The handler is going to settle; `ended` is called once. */
  wait(outcome: PromiseLike<unknown>, clock: Clock, ended: (ending: Ending) => void): void {
    const [first] = this.turns;
    first.takePermit();
    const end = (failed: boolean, value: unknown): void => {
      if (this.#ended) return;
      this.#ended = true;
      this.#stopClock();
      for (const turn of this.turns) turn.leave();
      ended({ failed, value });
    };
    const { timeoutMs } = first.retry;
    this.#cancelTimeout = clock.after(timeoutMs, () => end(true, first.tooLong(timeoutMs)));
    outcome.then(
      (reply) => end(false, reply),
      (thrown: unknown) => end(true, thrown),
    );
  }

  /** Tell the handler that its turns are given up. */
  abort(reason: Error): void {
    for (const turn of this.turns) turn.abort(reason);
  }

  /** Nobody waits for its end any more. */
  abandon(reason: Error): void {
    this.#stopClock();
    this.abort(reason);
  }

  #stopClock(): void {
    this.#cancelTimeout?.();
    this.#cancelTimeout = undefined;
  }
}

export function isThenable(value: unknown): value is PromiseLike<unknown> {
  return (
    typeof value === "object" &&
    value !== null &&
    typeof (value as { readonly then?: unknown }).then === "function"
  );
}
