/**
 * The turns of one agent whose handlers are under way, in order: one, or those that sit in the same
 * batch. They end in any order and are dealt with in theirs (I2).
 */
import type { Turn } from "../turn/turn.ts";
import type { Delivery } from "../runtime/delivery.ts";
import type { Running } from "./running.ts";

export class InFlight {
  #running: Running[] = [];

  get size(): number {
    return this.#running.length;
  }

  /** The youngest one. */
  get last(): Turn | undefined {
    return this.#running.at(-1)?.turn;
  }

  /** Steps whose effects are under way, asks included. */
  get stepsUnderWay(): number {
    return this.#running.reduce((sum, { turn }) => sum + turn.stepsUnderWay, 0);
  }

  /** Whether no handler has one of them any more. */
  get over(): boolean {
    return this.#running.every(({ ending }) => ending !== undefined);
  }

  add(running: Running): void {
    this.#running.push(running);
  }

  /** The next one in order, when it has ended. */
  take(): Running | undefined {
    return this.#running[0]?.ending === undefined ? undefined : this.#running.shift();
  }

  /**
   * Give all of them up. They keep the agent until they have ended. Returns what to do again, as if
   * it had never run.
   */
  abort(reason: Error): readonly Delivery[] {
    return this.#running.map(({ turn }) => {
      turn.abort(reason);
      turn.uncount();
      return turn.delivery;
    });
  }

  /** Give all of them up, and wait for none. Returns the same. */
  drop(reason: Error): readonly Delivery[] {
    for (const running of this.#running) running.end(true, reason);
    const deliveries = this.abort(reason);
    // Nobody hears its end, and one without a slot holds a place of its own. The handler knows by
    // now that it is given up: its place may go to another one at once.
    for (const { turn } of this.#running) turn.leave();
    this.#running = [];
    return deliveries;
  }
}
