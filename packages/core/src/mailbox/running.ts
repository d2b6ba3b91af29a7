/**
 * One turn whose handler is under way. The first of the handler and its time limit decides how it
 * ends. A turn that is given up still ends: until then nothing else of the agent may run (I2).
 */
import type { Clock } from "../clock/clock.ts";
import type { Turn } from "../turn/turn.ts";

/** How a handler's run ended. */
export interface Ending {
  readonly failed: boolean;
  /** The reply, or what was thrown. */
  readonly value: unknown;
}

export class Running {
  readonly turn: Turn;
  #ending: Ending | undefined;
  #cancelTimeout: (() => void) | undefined;

  constructor(turn: Turn) {
    this.turn = turn;
  }

  /** Undefined while the handler runs. */
  get ending(): Ending | undefined {
    return this.#ending;
  }

  /** The handler is going to settle; `ended` is called once. */
  wait(outcome: PromiseLike<unknown>, clock: Clock, ended: () => void): void {
    const { turn } = this;
    turn.takePermit();
    const end = (failed: boolean, value: unknown): void => {
      if (this.#ending !== undefined) return;
      this.end(failed, value);
      turn.leave();
      ended();
    };
    const { timeoutMs } = turn.retry;
    this.#cancelTimeout = clock.after(timeoutMs, () => end(true, turn.tooLong(timeoutMs)));
    outcome.then(
      (reply) => end(false, reply),
      (thrown: unknown) => end(true, thrown),
    );
  }

  end(failed: boolean, value: unknown): void {
    this.#cancelTimeout?.();
    this.#cancelTimeout = undefined;
    this.#ending = { failed, value };
  }
}

export function isThenable(value: unknown): value is PromiseLike<unknown> {
  return (
    typeof value === "object" &&
    value !== null &&
    typeof (value as { readonly then?: unknown }).then === "function"
  );
}
