/**
 * Bound on the messages that a process has on their way to the stream at once (I7). The rest waits
 * here for its turn, first come, first served; a caller who sends without ever awaiting is told
 * when too many wait, instead of filling the memory and the socket until everything times out.
 */
import { TooManyWaitingError } from "@troupe/core/errors";

export interface AcceptWindowSize {
  /** Messages on their way. */
  readonly flyingMax: number;
  /** Messages that wait for one of these to be answered. */
  readonly waitingMax: number;
}

export class AcceptWindow {
  readonly #size: AcceptWindowSize;
  readonly #waiting: (() => void)[] = [];
  /** Index at which the line begins; those before it have left. */
  #head = 0;
  #flying = 0;
  /** Places that are free and not passed on yet. */
  #free = 0;
  #isPassing = false;

  constructor(size: AcceptWindowSize) {
    this.#size = size;
  }

  /**
   * Calls `begin` when there is room, at once if possible; call `leave` when what it began is over.
   *
   * @throws TooManyWaitingError when it will never be called
   */
  enter(what: string, begin: () => void): void {
    if (this.#flying < this.#size.flyingMax) {
      this.#flying += 1;
      return begin();
    }
    const { flyingMax, waitingMax } = this.#size;
    if (this.#waiting.length - this.#head >= waitingMax) {
      throw new TooManyWaitingError(
        `${what} was not sent: ${flyingMax} messages are on their way to the log and ${waitingMax} wait for their turn. Await what you send, a few thousand at a time.`,
        { details: { flyingMax, waitingMax } },
      );
    }
    this.#waiting.push(begin);
  }

  /**
   * The place goes to the next in line. One that was given up meanwhile leaves at once, from within
   * its own call: in a loop, because there may be thousands of them behind each other.
   */
  leave(): void {
    this.#free += 1;
    if (this.#isPassing) return;
    this.#isPassing = true;
    try {
      while (this.#free > 0) {
        this.#free -= 1;
        this.#passOn();
      }
    } finally {
      this.#isPassing = false;
    }
  }

  #passOn(): void {
    const next = this.#waiting[this.#head];
    if (next === undefined) {
      this.#flying -= 1;
      return;
    }
    this.#head += 1;
    if (this.#head * 2 > this.#waiting.length) {
      this.#waiting.splice(0, this.#head);
      this.#head = 0;
    }
    next();
  }
}
