/**
 * Inputs of a partition that may have ended the process that held it before.
 *
 * When its last holder did not release a partition, that process died, and a message that it
 * handled may be why. It can only be one that was on the log by then, among those that a holder has
 * in memory; which positions that are, the first record that is stored after the takeover bounds.
 */
import type { Position } from "../../definition/message/input.ts";

export class Suspicion {
  /** Position after which nothing was on the log when the holder died. */
  #end: Position = Infinity;
  #left: number;

  /** @param inputsMax so many inputs may the holder have had in memory */
  constructor(inputsMax: number) {
    this.#left = inputsMax;
  }

  /** Whether the input's run has to be recorded before it begins. */
  covers(position: Position): boolean {
    return this.#left > 0 && position <= this.#end;
  }

  /**
   * Whether there are suspects beyond the inputs that are handled up to here: the next owner has
   * them, too.
   */
  lasts(floor: Position): boolean {
    return this.#left > 0 && floor < this.#end;
  }

  /** The log has the record of such a run. @param revision of it */
  recorded(revision: Position): void {
    this.#end = Math.min(this.#end, revision);
    this.#left -= 1;
  }
}
