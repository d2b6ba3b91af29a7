/**
 * At most so many lines per second: a worker does tens of thousands of turns a second, which nobody
 * reads and which would cost more than the turns.
 */
import type { Clock } from "@troupe/core/log";

const secondMs = 1000;

export class RateLimit {
  readonly #perSecondMax: number;
  readonly #clock: Pick<Clock, "now" | "after">;
  /** Called when a second is over in which something was left out. */
  readonly #onLeftOut: (count: number) => void;
  #shown = 0;
  #leftOut = 0;
  #cancel: (() => void) | undefined;

  constructor(
    perSecondMax: number,
    clock: Pick<Clock, "now" | "after">,
    onLeftOut: (count: number) => void,
  ) {
    this.#perSecondMax = perSecondMax;
    this.#clock = clock;
    this.#onLeftOut = onLeftOut;
  }

  /** Whether one more line may be shown. */
  allows(): boolean {
    this.#cancel ??= this.#clock.after(secondMs, () => this.close());
    if (this.#shown < this.#perSecondMax) {
      this.#shown += 1;
      return true;
    }
    this.#leftOut += 1;
    return false;
  }

  /** End the second now. */
  close(): void {
    this.#cancel?.();
    this.#cancel = undefined;
    const leftOut = this.#leftOut;
    this.#shown = 0;
    this.#leftOut = 0;
    if (leftOut > 0) this.#onLeftOut(leftOut);
  }
}
