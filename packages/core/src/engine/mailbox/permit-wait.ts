/** A mailbox's place in the line for a permit. */
import type { Permits } from "../runtime/permits.ts";

export class PermitWait {
  readonly #permits: Permits;
  #waiting = false;

  constructor(permits: Permits) {
    this.#permits = permits;
  }

  /** `then` is called when a permit is free, unless the place was left. */
  begin(then: () => void): void {
    this.#waiting = true;
    this.#permits.whenFree(() => {
      if (this.leave()) then();
    });
  }

  /** Whether it waited: a turn that has not started is handled elsewhere. */
  leave(): boolean {
    const waited = this.#waiting;
    this.#waiting = false;
    return waited;
  }
}
