/** Messages on our subjects whose subject is no address: each becomes one dead letter (I10). */
import { inputBytes, type Position } from "../../definition/message/input.ts";
import type { Reader } from "../../log/log.ts";
import type { IntakeHost } from "./partition-intake.ts";
import { PositionTracker } from "../runtime/position-tracker.ts";

/** There are few of them, and each may be as large as the log takes (I7). */
const misfitsMax = 32;

/** The pseudo agent type under which workers agree on who looks after misfits. */
export const misfitType = "~misfits";

export class MisfitIntake {
  readonly #reader: Reader;
  readonly tracker: PositionTracker;

  constructor(host: IntakeHost, after: Position) {
    this.tracker = new PositionTracker(after);
    this.#reader = host.log.read({
      source: "misfits",
      after,
      credit: Math.min(host.windowMax, misfitsMax),
      onLost: (error) => host.lost(error),
      onInput: (input) => {
        host.footing.read(input.position, input.acceptedAtMs);
        const tracked = this.tracker.begin({ position: input.position });
        host.bury(input, () => {
          this.tracker.finish(tracked);
          this.#reader.grant(1, inputBytes(input.payload.byteLength));
        });
      },
    });
  }

  stop(): Promise<void> {
    return this.#reader.stop();
  }
}
