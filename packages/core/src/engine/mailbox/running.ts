/**
 * A turn whose handler is under way. The first of the handler and its time limit decides how it
 * ends. A turn that is given up still ends: until then nothing else of the agent may run (I2).
 */
import type { Clock } from "../../clock/clock.ts";
import { deadlinePassed, givenUp, leftMsOf } from "../turn/given-up.ts";
import type { Turn } from "../turn/turn.ts";
import { demandOf } from "../../definition/demand.ts";

/** The end of a handler's run. */
export interface Ending {
  readonly failed: boolean;
  /** The reply, or what was thrown. */
  readonly value: unknown;
}

export class Running {
  readonly turn: Turn;
  #ending: Ending | undefined;
  /** End the time limit, the deadline, and listening for the asker. */
  #stops: (() => void)[] = [];

  constructor(turn: Turn) {
    this.turn = turn;
  }

  /** Undefined while the handler runs. */
  get ending(): Ending | undefined {
    return this.#ending;
  }

  /** The handler is going to settle; `ended` is called once. */
  wait(outcome: Promise<unknown>, clock: Clock, ended: () => void): void {
    const { turn } = this;
    turn.takePermit();
    const end = (failed: boolean, value: unknown): void => {
      if (this.#ending !== undefined) return;
      this.end(failed, value);
      turn.leave();
      ended();
    };
    this.#watchAsker(end);
    const { timeoutMs } = turn.retry;
    const stop = clock.after(timeoutMs, () => {
      const late = turn.tooLong(timeoutMs);
      end(true, late);
      // Also when this was its last run: the handler is told that nobody waits for it any more.
      turn.abort(late);
    });
    this.#stops.push(stop);
    outcome.then(
      (reply) => end(false, reply),
      (thrown: unknown) => end(true, thrown),
    );
  }

  end(failed: boolean, value: unknown): void {
    for (const stop of this.#stops) stop();
    this.#stops = [];
    this.#ending = { failed, value };
  }

  /** A turn that nobody waits for is over. */
  #watchAsker(end: (failed: boolean, value: unknown) => void): void {
    const { turn } = this;
    const { cancellations, clock } = turn.host;
    const giveUp = (reason: Error): void => {
      turn.abort(reason);
      end(true, reason);
    };
    const leftMs = leftMsOf(turn);
    if (leftMs < Infinity) {
      this.#stops.push(clock.after(leftMs, () => giveUp(deadlinePassed(turn))));
    }
    const heard = (): void => {
      const reason = givenUp(turn);
      if (reason !== undefined) giveUp(reason);
    };
    const { askers = [] } = demandOf(turn.delivery.input.metadata);
    for (const asker of askers) this.#stops.push(cancellations.watch(asker, heard));
  }
}
