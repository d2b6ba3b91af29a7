/**
 * Makes room where a relay takes from, about once a second (RELAY-2). A failed purge is told and
 * tried again; until it succeeds the source fills, and an ingress then refuses.
 *
 * The ingress has nothing but what is to be taken, so it is purged up to where the log has taken it
 * in one go. An outbox lies in a stream of the log among what stays, and a purge would leave the
 * bytes in the server's file where nobody could erase them any more: so what was taken from there
 * is deleted one by one in the way that overwrites it, as an erasure does it.
 */
import { apiRequest } from "./api-request.ts";
import { unlessNothingThere } from "./leader-get.ts";
import type { RelaySource } from "./relay-source.ts";
import type { Session } from "./session.ts";

const pauseMs = 1000;
const pauseMsMax = 60_000;
/** Requests on their way (I7). */
const atOnceMax = 16;
/** Further ones stay until the next relay, which begins with those that are still there (I7). */
const waitingMax = 100_000;

export class RelayPurge {
  readonly #session: Session;
  readonly #source: RelaySource;
  /** The ingress is taken up to here. */
  #sequence = 0;
  /** Messages that were taken from an outbox and are still there. */
  #taken: number[] = [];
  #failures = 0;
  #timer: NodeJS.Timeout | undefined;
  #stopped = false;

  constructor(session: Session, source: RelaySource) {
    this.#session = session;
    this.#source = source;
  }

  /** Notes that these are in the log, and all before the last of them. */
  took(sequences: readonly number[]): void {
    this.#sequence = Math.max(this.#sequence, sequences.at(-1) ?? 0);
    if (!this.#source.isPurged && this.#taken.length < waitingMax) this.#taken.push(...sequences);
    this.#schedule();
  }

  stop(): void {
    this.#stopped = true;
    clearTimeout(this.#timer);
  }

  #schedule(): void {
    if (this.#timer !== undefined || this.#stopped) return;
    const waitMs = Math.min(pauseMs * 2 ** this.#failures, pauseMsMax);
    this.#timer = setTimeout(() => void this.#makeRoom(), waitMs);
  }

  async #makeRoom(): Promise<void> {
    const { faults } = this.#session;
    const { isPurged, what } = this.#source;
    const sequence = this.#sequence;
    try {
      await (isPurged ? this.#purge(sequence) : this.#destroy());
      this.#failures = 0;
    } catch (thrown) {
      this.#failures += 1;
      if (!this.#stopped) faults.tell(`${what}: making room`, thrown);
    }
    this.#timer = undefined;
    const hasMore = this.#sequence > sequence || this.#taken.length > 0;
    if (this.#failures > 0 || hasMore) this.#schedule();
  }

  /** The server keeps what comes after this sequence. */
  async #purge(sequence: number): Promise<void> {
    const subject = `STREAM.PURGE.${this.#source.stream}`;
    await apiRequest(this.#session, subject, { seq: sequence + 1 });
  }

  async #destroy(): Promise<void> {
    const subject = `STREAM.MSG.DELETE.${this.#source.stream}`;
    while (this.#taken.length > 0 && !this.#stopped) {
      const some = this.#taken.slice(0, atOnceMax);
      const destroy = (seq: number): Promise<unknown> =>
        unlessNothingThere(apiRequest(this.#session, subject, { seq, no_erase: false }));
      await Promise.all(some.map(destroy));
      this.#taken.splice(0, some.length);
    }
  }
}
