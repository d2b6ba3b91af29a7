/**
 * Inputs of a busy or stuck key stay on the log, so that they do not hold up the other keys of its
 * partition (I2) and memory stays bounded (I7).
 *
 * A partition's reader stops when its window is full of unhandled inputs. A key may have
 * `keyWindowMax` inputs in its queue. When one more comes, the key falls behind: it is read back
 * from the log later, with all that come after it.
 *
 *  BACKLOG-1 Order, no gap, no duplicate (I2, I4): until the key has caught up, what the reader
 *     brings is dropped here, and only how far the reader is (`last`) is remembered. Pages are read
 *     one at a time, each after the end of the one before, none beyond `last`; the key has caught
 *     up when `last` itself was read back, and the reader's next inputs come behind it. The reads
 *     are firm (LOG-8): a replica that is behind must not hide an input between two others.
 *  BACKLOG-2 The floor does not pass what is on the log only: the first input that was left there
 *     keeps its place in the window, standing for all of them, until the last one is handled. The
 *     others' places are given back at once. So a drain, a crash or another owner need no care
 *     here: the successor reads from there, and recognises what was handled meanwhile (I4).
 *  BACKLOG-3 Bounded: every key that is behind holds one place, so a partition has at most
 *     `windowMax` of them; they share another window, in inputs and in bytes, for what they have
 *     read back, at least 1 input each.
 *  BACKLOG-4 Reading back starts when half of the queue is handled, so that a fast handler need not
 *     wait for every page.
 *  BACKLOG-5 The log may have lost `last` for good, by its retention. The loss is a fault, and the
 *     key goes on with the next input.
 */
import { LogUnavailableError } from "../../errors/log-errors.ts";
import { errorData } from "../../errors/troupe-error.ts";
import type { AgentId } from "../../definition/message/address.ts";
import { agentName } from "../../definition/message/address.ts";
import type { Input, Position } from "../../definition/message/input.ts";
import { inputBytes } from "../../definition/message/input.ts";
import type { TurnHost } from "../turn/turn-host.ts";
import type { AddressedInputs } from "../runtime/addressed-inputs.ts";
import type { TrackedInput } from "../runtime/position-tracker.ts";
import { PositionTracker } from "../runtime/position-tracker.ts";
import type { BacklogShare, Delivery, Place, WindowPlace } from "../runtime/delivery.ts";
import { delivery, noPlace } from "../runtime/delivery.ts";
import { Pause } from "./pause.ts";
import { backoffMs } from "../../definition/retry-policy.ts";

export interface BacklogHost extends Pick<TurnHost, "clock" | "feed" | "log" | "random" | "retry"> {
  readonly addressed: Pick<AddressedInputs, "belongs">;
  readonly limits: {
    /** Inputs in the queue of one agent before the next ones are left on the log. */
    readonly keyWindowMax: number;
  };
}

interface BacklogRequest {
  readonly agent: AgentId;
  /** Topics that it subscribes to. */
  readonly topics: readonly string[];
  /** The place of the first input that is left on the log. */
  readonly place: WindowPlace;
  /** Position of that first input. */
  readonly from: Position;
}

/** Told of inputs that were read back; once it has caught up, there are no more behind them. */
type Arrive = (deliveries: readonly Delivery[], caughtUp: boolean) => void;

/** The first of the page that fit into the share, at least one. */
function within(page: readonly Input[], share: BacklogShare): readonly Input[] {
  let bytes = 0;
  const end = page.findIndex((input, index) => {
    bytes += inputBytes(input.payload.byteLength);
    return index > 0 && (index >= share.inputs || bytes > share.bytes);
  });
  return end < 0 ? page : page.slice(0, end);
}

export class Backlog {
  readonly #host: BacklogHost;
  readonly #request: BacklogRequest;
  readonly #arrive: Arrive;
  readonly #pause: Pause;
  /** Inputs that were read back and are not handled. */
  readonly #tracker: PositionTracker;
  /** The last one that the reader brought. */
  #last: Position;
  #reading = false;
  #caughtUp = false;
  #closed = false;
  #failures = 0;

  constructor(host: BacklogHost, request: BacklogRequest, arrive: Arrive) {
    this.#host = host;
    this.#request = request;
    this.#arrive = arrive;
    this.#pause = new Pause(host.clock);
    this.#last = request.from;
    this.#tracker = new PositionTracker(request.from - 1);
    request.place.standFor(request.from);
  }

  /** The reader brought one more (BACKLOG-1). */
  add(input: Input, place: Place): void {
    this.#last = input.position;
    place.done();
  }

  /** Reads more when the queue has few inputs left (BACKLOG-4). */
  readOn(queued: number): void {
    if (this.#reading || this.#closed || queued * 2 > this.#host.limits.keyWindowMax) return;
    this.#reading = true;
    void this.#read();
  }

  /** Stops reading back. The place is kept (BACKLOG-2). */
  close(): void {
    this.#closed = true;
    this.#pause.cancel();
  }

  async #read(): Promise<void> {
    const { agent, place, topics } = this.#request;
    const after = this.#tracker.lastRead;
    try {
      const share = place.standFor(this.#tracker.floor + 1);
      const before = this.#last + 1;
      const page = await this.#host.log.inputsOf(agent, topics, after, before, { firm: true });
      if (this.#closed) return;
      if (page.length === 0) return this.#nothing(after, before);
      this.#failures = 0;
      this.#take(within(page, share));
    } catch (thrown) {
      this.#again(thrown);
    }
  }

  #take(inputs: readonly Input[]): void {
    const deliveries = inputs.flatMap((input) => {
      const isTheirs = input.fault === undefined && this.#host.addressed.belongs(input);
      if (isTheirs) return [this.#track(input)];
      // It became a dead letter when the reader brought it, or is of before the subscription.
      this.#tracker.pass(input.position);
      return [];
    });
    this.#reading = false;
    this.#caughtUp = this.#tracker.lastRead >= this.#last;
    this.#finishWhenHandled();
    this.#arrive(deliveries, this.#caughtUp);
  }

  #track(input: Input): Delivery {
    const tracked: TrackedInput = this.#tracker.begin({ position: input.position });
    const done = (): void => {
      this.#tracker.finish(tracked);
      this.#finishWhenHandled();
    };
    return delivery(input, { ...noPlace, done }, this.#host.clock.now());
  }

  #finishWhenHandled(): void {
    const handled = this.#tracker.floor >= this.#last;
    if (this.#caughtUp && handled && !this.#closed) this.#request.place.done();
  }

  /**
   * The reader brought something that the log does not have any more (BACKLOG-5). The answer does
   * not count for inputs that the reader brought after the log was asked.
   */
  #nothing(after: Position, before: Position): void {
    const name = agentName(this.#request.agent);
    const last = before - 1;
    const missing = new LogUnavailableError(
      `The log does not have the inputs of ${name} after ${after} up to ${last} any more: they were erased, removed or lost before they were handled.`,
      { details: { agent: name, after, last } },
    );
    this.#fault(missing);
    this.#tracker.pass(last);
    this.#take([]);
  }

  #again(thrown: unknown): void {
    if (this.#closed) return;
    this.#fault(thrown);
    this.#failures += 1;
    const { random, retry } = this.#host;
    this.#pause.start(backoffMs(retry, this.#failures, random), () => void this.#read());
  }

  #fault(thrown: unknown): void {
    const what = `reading back the inputs of ${agentName(this.#request.agent)}`;
    this.#host.feed.emit({ kind: "fault", what, failure: errorData(thrown) });
  }
}
