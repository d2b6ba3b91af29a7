/**
 * The mailboxes in memory. An agent costs nothing until a message comes for it, and idle ones
 * leave, the longest unused first, when more than `residentsMax` are here (I7).
 */
import type { InspectionFeed } from "../inspection/inspection-feed.ts";
import type { Mailbox } from "./mailbox.ts";

export class Residents {
  readonly #max: number;
  readonly #feed: InspectionFeed;
  readonly #byName = new Map<string, Mailbox>();

  constructor(max: number, feed: InspectionFeed) {
    this.#max = max;
    this.#feed = feed;
  }

  get size(): number {
    return this.#byName.size;
  }

  /** The mailbox of this name, made when it is not here; it becomes the most recently used one. */
  obtain(name: string, make: () => Mailbox): Mailbox {
    const found = this.#byName.get(name);
    if (found === undefined) {
      // Before it is in the map: it is idle still, and must not be the one that leaves.
      if (this.#byName.size >= this.#max) this.#evict(undefined);
      const made = make();
      this.#byName.set(name, made);
      return made;
    }
    // Below half of the limit nothing will be evicted soon, so the order need not be kept up.
    if (this.#byName.size * 2 > this.#max) {
      this.#byName.delete(name);
      this.#byName.set(name, found);
      // A burst of busy ones went beyond the limit; they leave as messages for others come.
      if (this.#byName.size > this.#max) this.#evict(found);
    }
    return found;
  }

  /** Finish and forget the mailboxes that `belongs` selects. */
  async drain(belongs: (mailbox: Mailbox) => boolean): Promise<void> {
    const leaving = [...this.#byName.values()].filter(belongs);
    await Promise.all(leaving.map((mailbox) => mailbox.drain()));
    for (const mailbox of leaving) {
      if (this.#byName.get(mailbox.name) === mailbox) this.#byName.delete(mailbox.name);
    }
  }

  /** Forget everything at once. */
  abandon(): void {
    for (const mailbox of this.#byName.values()) mailbox.abandon();
    this.#byName.clear();
  }

  #evict(wanted: Mailbox | undefined): void {
    let looked = 0;
    for (const mailbox of this.#byName.values()) {
      if (this.#byName.size < this.#max || looked++ >= lookedAtMax) return;
      this.#byName.delete(mailbox.name);
      if (!mailbox.idle || mailbox === wanted) {
        // To the end, so that the next call looks at others.
        this.#byName.set(mailbox.name, mailbox);
        continue;
      }
      if (this.#feed.active) this.#feed.emit({ kind: "agent.passivated", agent: mailbox.agent });
    }
  }
}

/** Busy mailboxes at the head must not make every activation walk the whole map. */
const lookedAtMax = 64;
