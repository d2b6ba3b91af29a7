/**
 * Hold of one handler call on a permit: taken while it waits for something, but not for other
 * agents or for limits.
 */
import type { Permits } from "./permits.ts";

export class PermitHold {
  readonly #permits: Permits;
  #has = false;
  #left = false;
  /** Asks and limits that the handler waits for. */
  #waits = 0;

  constructor(permits: Permits) {
    this.#permits = permits;
  }

  take(): void {
    if (this.#has) return;
    this.#has = true;
    this.#permits.take();
  }

  /** The handler returned or threw, or nobody waits for it any more. */
  leave(): void {
    this.#left = true;
    this.#give();
  }

  /**
   * Give the permit back while a handler waits for other agents, or these could never answer (I7).
   * While it waits for a limit it leaves it to those that can go on.
   */
  async whileWaiting<Result>(wait: () => Promise<Result>): Promise<Result> {
    // Later, because giving it may start another agent's handler, which must not run inside this
    // one.
    if (this.#waits++ === 0) queueMicrotask(() => this.#give());
    try {
      return await wait();
    } finally {
      // A handler that ended without waiting for its asks needs no place any more.
      if (--this.#waits === 0 && !this.#left) this.take();
    }
  }

  #give(): void {
    if (!this.#has) return;
    this.#has = false;
    this.#permits.give();
  }
}
