/** Remembers the ids of stored messages, for a while and up to a number, as a real log does. */
import type { Position } from "@troupe/core/log";

export interface DuplicateWindowLimits {
  /** Time an id is remembered, in milliseconds. */
  readonly ageMsMax: number;
  /** Number of ids that are remembered; the oldest go first. */
  readonly idsMax: number;
}

interface Remembered {
  readonly position: Position;
  readonly atMs: number;
}

export class DuplicateWindow {
  readonly #limits: DuplicateWindowLimits;
  /** Ids in order of insertion, therefore of age. */
  readonly #ids = new Map<string, Remembered>();

  constructor(limits: DuplicateWindowLimits) {
    this.#limits = limits;
  }

  /** Position of the message of this id, unless that was too long ago. */
  find(id: string, nowMs: number): Position | undefined {
    this.#forget(nowMs);
    return this.#ids.get(id)?.position;
  }

  remember(id: string, position: Position, nowMs: number): void {
    this.#ids.set(id, { position, atMs: nowMs });
    this.#forget(nowMs);
  }

  /** Forget the messages after this position, which were never stored. */
  goBack(last: Position): void {
    for (const [id, { position }] of this.#ids) if (position > last) this.#ids.delete(id);
  }

  #forget(nowMs: number): void {
    for (const [id, { atMs }] of this.#ids) {
      const tooOld = nowMs - atMs > this.#limits.ageMsMax;
      if (!tooOld && this.#ids.size <= this.#limits.idsMax) return;
      this.#ids.delete(id);
    }
  }
}
