/**
 * Places of a window that are given back before their inputs are handled, because these wait for
 * something: their handler for a model, another agent or a limit, or they themselves behind such a
 * handler, a back-off or a journal that cannot be read. Without that a window full of waiting turns
 * would keep everything else of its partition on the log, also what they wait for.
 *
 * So the inputs that one worker has in memory are those in windows and those whose places are lent,
 * and both are bounded in number and bytes (I7). When no more can be lent, waiting turns keep their
 * places, and the readers stop.
 */

export interface LendingBounds {
  readonly inputsMax: number;
  readonly bytesMax: number;
}

export class Lending {
  readonly #bounds: LendingBounds;
  #inputs = 0;
  #bytes = 0;

  constructor(bounds: LendingBounds) {
    this.#bounds = bounds;
  }

  /** Whether one more place, of an input of so many bytes, is lent. */
  take(bytes: number): boolean {
    const { bytesMax, inputsMax } = this.#bounds;
    if (this.#inputs >= inputsMax || this.#bytes + bytes > bytesMax) return false;
    this.#inputs += 1;
    this.#bytes += bytes;
    return true;
  }

  /** Takes back the loan of an input that is handled. */
  give(bytes: number): void {
    this.#inputs -= 1;
    this.#bytes -= bytes;
  }
}
