/**
 * Deliveries that wait in a mailbox, in log order: a bounded queue, and behind it the inputs that
 * were left on the log (see backlog.ts).
 */
import type { AgentId } from "../../definition/message/address.ts";
import type { Input } from "../../definition/message/input.ts";
import { Backlog } from "./backlog.ts";
import type { BacklogHost } from "./backlog.ts";
import type { Delivery, WindowPlace } from "../runtime/delivery.ts";
import { delivery } from "../runtime/delivery.ts";

/** The mailbox whose inbox it is. */
interface InboxOwner {
  readonly agent: AgentId;
  /** Called when inputs were read back from the log. */
  arrived(): void;
}

export class Inbox {
  readonly #mailbox: InboxOwner;
  readonly #host: BacklogHost;
  readonly #topics: readonly string[];
  #queue: Delivery[] = [];
  #lends = false;
  #backlog: Backlog | undefined;

  /** @param topics that the agent subscribes to */
  constructor(mailbox: InboxOwner, host: BacklogHost, topics: readonly string[]) {
    this.#mailbox = mailbox;
    this.#host = host;
    this.#topics = topics;
  }

  /** Deliveries that wait here, without the inputs on the log. */
  get waiting(): readonly Delivery[] {
    return this.#queue;
  }

  get first(): Delivery | undefined {
    return this.#queue[0];
  }

  get last(): Delivery | undefined {
    return this.#queue.at(-1);
  }

  /** True when nothing waits, neither here nor on the log. */
  get empty(): boolean {
    return this.#queue.length === 0 && this.#backlog === undefined;
  }

  /** The partition's reader brought it. */
  add(input: Input, place: WindowPlace): void {
    if (this.#backlog !== undefined) this.#backlog.add(input, place);
    else if (this.#queue.length < this.#host.limits.keyWindowMax) {
      this.#queue.push(delivery(input, place, this.#host.clock.now()));
      if (this.#lends) this.#lend();
    } else this.#backlog = this.#openBacklog(input, place);
  }

  /**
   * Says whether the deliveries here wait for something other than their turn, and so make room for
   * others.
   */
  set lends(lends: boolean) {
    this.#lends = lends;
    if (lends) this.#lend();
  }

  take(): Delivery | undefined {
    const first = this.#queue.shift();
    // An array keeps the room that it once needed.
    if (this.#queue.length === 0) this.#queue = [];
    this.#backlog?.readOn(this.#queue.length);
    return first;
  }

  /**
   * Puts deliveries to the front, in order: they were taken before, or belong before all that wait.
   */
  giveBack(deliveries: readonly Delivery[]): void {
    this.#queue.unshift(...deliveries);
  }

  /** Put it where it belongs among what waits. */
  insert(given: Delivery): void {
    const behind = this.#queue.findIndex(({ input }) => input.position > given.input.position);
    this.#queue.splice(behind < 0 ? this.#queue.length : behind, 0, given);
  }

  /** Forget everything: the log has it. */
  clear(): void {
    this.#queue = [];
    this.#backlog?.close();
    this.#backlog = undefined;
  }

  #openBacklog(input: Input, place: WindowPlace): Backlog {
    const { position } = input;
    const { agent } = this.#mailbox;
    const request = { agent, topics: this.#topics, place, from: position };
    return new Backlog(this.#host, request, (deliveries, caughtUp) => {
      this.#queue.push(...deliveries);
      if (caughtUp) this.#backlog = undefined;
      this.#mailbox.arrived();
      this.#backlog?.readOn(this.#queue.length);
    });
  }

  /** Places are lent from the front on: looking from the back finds those that came since. */
  #lend(): void {
    for (let index = this.#queue.length - 1; index >= 0; index--) {
      const waiting = this.#queue[index];
      if (waiting === undefined || waiting.lent === true) return;
      waiting.lent = waiting.place.lend();
      if (!waiting.lent) return;
    }
  }
}
