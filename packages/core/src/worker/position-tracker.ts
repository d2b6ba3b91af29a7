/**
 * How far a stream of inputs is handled: the position up to which nothing is unfinished.
 *
 * Inputs begin in log order and finish in any order; the floor is the place from which a successor
 * has to read.
 */
import type { Position } from "../log/input.ts";

export interface TrackedInput {
  readonly position: Position;
}

export class PositionTracker {
  #lastBegun: Position;
  /** In log order; no larger than the window, because what is finished leaves at once (I7). */
  readonly #unfinished = new Set<TrackedInput>();

  constructor(after: Position) {
    this.#lastBegun = after;
  }

  /** The last position that was read, whether it concerned anybody or not. */
  get lastRead(): Position {
    return this.#lastBegun;
  }

  /** Everything up to and including this position is handled. */
  get floor(): Position {
    const [first] = this.#unfinished;
    return first === undefined ? this.#lastBegun : first.position - 1;
  }

  /** What has begun and is not finished, in log order. */
  get unfinished(): readonly TrackedInput[] {
    return [...this.#unfinished];
  }

  /** An input was read that concerns nobody here. */
  pass(position: Position): void {
    this.#lastBegun = position;
  }

  begin(position: Position): TrackedInput {
    const input: TrackedInput = { position };
    this.#lastBegun = position;
    this.#unfinished.add(input);
    return input;
  }

  finish(input: TrackedInput): void {
    this.#unfinished.delete(input);
  }
}
