/**
 * The mailboxes in memory. An agent costs nothing until a message comes for it. There are never
 * more than `activationsMax`: the longest idle one leaves for each that comes (I7). The readers'
 * windows make sure that the busy ones alone do not exceed it (engine/intake/window-size.ts).
 */
import type { InspectionFeed } from "../inspection/inspection-feed.ts";
import { LruList } from "./lru-list.ts";
import type { Mailbox } from "./mailbox.ts";

export class Activations {
  readonly #max: number;
  readonly #feed: InspectionFeed;
  readonly #byName = new Map<string, Mailbox>();
  readonly #idle = new LruList<Mailbox>();

  constructor(max: number, feed: InspectionFeed) {
    this.#max = max;
    this.#feed = feed;
  }

  /**
   * The mailbox of this name, made when it is not here. It is used now: it stays until it rests.
   */
  obtain(name: string, make: () => Mailbox): Mailbox {
    const found = this.#byName.get(name);
    if (found !== undefined) {
      this.#idle.leave(found);
      return found;
    }
    this.#makeRoomFor(1);
    const made = make();
    this.#byName.set(made.name, made);
    return made;
  }

  /** The mailbox of this name, if it is in memory. */
  find(name: string): Mailbox | undefined {
    return this.#byName.get(name);
  }

  /** Forget an idle one; false when it is at work. */
  rest(name: string): boolean {
    const found = this.#byName.get(name);
    if (found === undefined) return true;
    if (!found.idle) return false;
    this.#passivate(found);
    return true;
  }

  /** Told that nothing waits, runs or is to be committed in it. */
  becameIdle(mailbox: Mailbox): void {
    if (mailbox.rests === "on the log") return this.#passivate(mailbox);
    this.#idle.join(mailbox);
    this.#makeRoomFor(0);
  }

  /** Finish and forget the mailboxes that `belongs` selects. */
  async drain(belongs: (mailbox: Mailbox) => boolean): Promise<void> {
    const leaving = [...this.#byName.values()].filter(belongs);
    await Promise.all(leaving.map((mailbox) => this.#drainOne(mailbox)));
  }

  /** Forget everything at once. @param why is said to the handlers that run */
  abandon(why: string): void {
    for (const mailbox of this.#byName.values()) {
      this.#idle.leave(mailbox);
      mailbox.abandon(why);
    }
    this.#byName.clear();
  }

  async #drainOne(mailbox: Mailbox): Promise<void> {
    this.#idle.leave(mailbox);
    await mailbox.drain();
    if (this.#byName.get(mailbox.name) === mailbox) this.#byName.delete(mailbox.name);
  }

  #makeRoomFor(coming: number): void {
    while (this.#byName.size + coming > this.#max) {
      const longest = this.#idle.first;
      if (longest === undefined) return;
      this.#passivate(longest);
    }
  }

  #passivate(mailbox: Mailbox): void {
    this.#idle.leave(mailbox);
    if (this.#byName.get(mailbox.name) === mailbox) this.#byName.delete(mailbox.name);
    if (this.#feed.active) this.#feed.emit({ kind: "agent.passivated", agent: mailbox.agent });
  }
}
