/** The cells of the memory log: the last value of each, changed by compare-and-set (LOG-7). */
import type { Clock, Cell, Position } from "@troupe/core/log";
import { RevisionConflictError } from "@troupe/core/errors";

export class Cells {
  readonly #clock: Clock;
  readonly #cells = new Map<string, Cell>();
  #writes = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  read(name: string): Cell | undefined {
    return this.#cells.get(name);
  }

  copy(): ReadonlyMap<string, Cell> {
    return new Map(this.#cells);
  }

  write(name: string, value: Uint8Array, expectedRevision: Position): Position {
    const last = this.#cells.get(name)?.revision ?? 0;
    if (last !== expectedRevision) {
      throw new RevisionConflictError(
        `The cell ${name} is at revision ${last}, not at ${expectedRevision}; nothing was stored. Read it and decide again.`,
        { details: { cell: name, expectedRevision, revision: last } },
      );
    }
    this.#writes += 1;
    this.#cells.set(name, { revision: this.#writes, value, storedAtMs: this.#clock.now() });
    return this.#writes;
  }
}
