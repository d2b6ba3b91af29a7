/**
 * The place that an input has in the window of its partition, for each agent type that handles it.
 *
 * An input holds one credit until all its types have handled it, or left, or wait for something
 * else and have lent their places (I7).
 */
import type { Position } from "../../definition/message/input.ts";
import type { BacklogShare, WindowPlace } from "../runtime/delivery.ts";
import type { Lending } from "./lending.ts";
import type { PositionTracker, TrackedInput } from "../runtime/position-tracker.ts";

/** The intake, which knows how many share a window. */
interface Sharer {
  readonly backlogShare: BacklogShare;
}

/** A credit for an input and its bytes, held by everybody who has the input in hand. */
export class SharedCredit {
  readonly #returned: () => void;
  /** The reader is the first. */
  #holders = 1;

  constructor(returned: () => void) {
    this.#returned = returned;
  }

  take(): void {
    this.#holders += 1;
  }

  give(): void {
    this.#holders -= 1;
    if (this.#holders === 0) this.#returned();
  }
}

/** The place that an input has for one agent type. */
export class TypePlace implements TrackedInput, WindowPlace {
  position: Position;
  readonly #sharer: Sharer;
  readonly #tracker: PositionTracker<TypePlace>;
  readonly #lease: Lease;
  #lentBytes = 0;
  #state: "in the window" | "lent" | "left" = "in the window";

  constructor(
    sharer: Sharer,
    tracker: PositionTracker<TypePlace>,
    position: Position,
    lease: Lease,
  ) {
    this.#sharer = sharer;
    this.#tracker = tracker;
    this.position = position;
    this.#lease = lease;
    lease.credit.take();
  }

  done(): void {
    this.#tracker.finish(this);
    this.leave();
  }

  standFor(from: Position): BacklogShare {
    this.#tracker.move(this, from);
    // The later inputs that it stands for are on the log.
    this.lend(0);
    return this.#sharer.backlogShare;
  }

  /** Takes it out of the window. */
  leave(): void {
    const { credit, lending } = this.#lease;
    if (this.#state === "in the window") credit.give();
    if (this.#state === "lent") lending.give(this.#lentBytes);
    this.#state = "left";
  }

  lend(bytes: number = this.#lease.bytes): boolean {
    const { credit, lending } = this.#lease;
    if (this.#state !== "in the window") return true;
    if (!lending.take(bytes)) return false;
    this.#state = "lent";
    this.#lentBytes = bytes;
    credit.give();
    return true;
  }
}

export interface Lease {
  readonly credit: SharedCredit;
  readonly lending: Lending;
  /** Bytes of the input. */
  readonly bytes: number;
}
