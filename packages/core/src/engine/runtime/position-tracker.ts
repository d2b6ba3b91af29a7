/**
 * Progress through a stream of inputs: the position up to which none is unfinished.
 *
 * Inputs begin in log order and finish in any order; the floor is the place from which a successor
 * has to read. An unfinished input may come to stand for later ones of its key (`move`): then the
 * floor stays below the first of those.
 */
import type { Position } from "../../definition/message/input.ts";

export interface TrackedInput {
  position: Position;
}

export class PositionTracker<Tracked extends TrackedInput = TrackedInput> {
  #lastBegun: Position;
  /**
   * Inputs in log order; no more than the window has, because a finished one leaves at once (I7).
   */
  readonly #unfinished = new Set<Tracked>();
  /** Inputs that stand for later ones, in no order. */
  readonly #moved = new Set<Tracked>();

  constructor(after: Position) {
    this.#lastBegun = after;
  }

  /** The last position that was read, whether it concerned anybody or not. */
  get lastRead(): Position {
    return this.#lastBegun;
  }

  /** Position up to which all inputs are handled, itself included. */
  get floor(): Position {
    const [first] = this.#unfinished;
    let floor = first === undefined ? this.#lastBegun : first.position - 1;
    for (const { position } of this.#moved) floor = Math.min(floor, position - 1);
    return floor;
  }

  /**
   * Inputs that have begun and are not finished: in log order, then those that stand for others.
   */
  get unfinished(): readonly Tracked[] {
    return [...this.#unfinished, ...this.#moved];
  }

  /** Number of inputs that stand for later ones. */
  get movedCount(): number {
    return this.#moved.size;
  }

  /** An input was read that concerns nobody here. */
  pass(position: Position): void {
    this.#lastBegun = position;
  }

  begin(input: Tracked): Tracked {
    this.#lastBegun = input.position;
    this.#unfinished.add(input);
    return input;
  }

  /** Lets an input stand for those of its key from this position on; it never goes back. */
  move(input: Tracked, position: Position): void {
    this.#unfinished.delete(input);
    this.#moved.add(input);
    input.position = position;
  }

  finish(input: Tracked): void {
    if (!this.#unfinished.delete(input)) this.#moved.delete(input);
  }
}
