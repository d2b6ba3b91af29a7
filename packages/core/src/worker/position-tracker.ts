/**
 * How far a stream of inputs is handled: the position up to which nothing is unfinished.
 *
 * Inputs begin in log order and finish in any order; the floor is the place from which a successor
 * has to read.
 */
import type { Position } from "../log/input.ts";

export interface TrackedInput {
  readonly position: Position;
  finished: boolean;
}

export class PositionTracker {
  #lastBegun: Position;
  #unfinished: TrackedInput[] = [];
  #head = 0;

  constructor(after: Position) {
    this.#lastBegun = after;
  }

  /** The last position that was read, whether it concerned anybody or not. */
  get lastRead(): Position {
    return this.#lastBegun;
  }

  /** Everything up to and including this position is handled. */
  get floor(): Position {
    const first = this.#unfinished[this.#head];
    return first === undefined ? this.#lastBegun : first.position - 1;
  }

  /** An input was read that concerns nobody here. */
  pass(position: Position): void {
    this.#lastBegun = position;
  }

  begin(position: Position): TrackedInput {
    const input: TrackedInput = { position, finished: false };
    this.#lastBegun = position;
    this.#unfinished.push(input);
    return input;
  }

  finish(input: TrackedInput): void {
    input.finished = true;
    while (this.#unfinished[this.#head]?.finished === true) this.#head += 1;
    if (this.#head < compactAt) return;
    this.#unfinished = this.#unfinished.slice(this.#head);
    this.#head = 0;
  }
}

/** Finished inputs at the head are dropped in blocks, so that a finish costs nothing on average. */
const compactAt = 1024;
