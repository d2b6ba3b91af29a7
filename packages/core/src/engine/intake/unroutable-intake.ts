/** Messages on our subjects whose subject is no address: each becomes one dead letter (I10). */
import { inputBytes, type Position } from "../../definition/message/input.ts";
import type { Floor, Reader } from "../../log/log.ts";
import type { IntakeHost } from "./partition-intake.ts";
import { PositionTracker } from "../runtime/position-tracker.ts";

/** There are few of them, and each may be as large as the log takes (I7). */
const unroutableMax = 32;

/** The pseudo agent type under which workers agree on who looks after unroutable messages. */
export const unroutableType = "~unroutable";

export class UnroutableIntake {
  readonly #reader: Reader;
  readonly tracker: PositionTracker;

  constructor(host: IntakeHost, after: Position) {
    this.tracker = new PositionTracker(after);
    this.#reader = host.log.read({
      source: "unroutable",
      after,
      credit: Math.min(host.windowMax, unroutableMax),
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

  /** Position up to which these messages are dead letters. */
  get floor(): Floor {
    return { type: unroutableType, partition: "unroutable", position: this.tracker.floor };
  }

  stop(): Promise<void> {
    return this.#reader.stop();
  }
}
