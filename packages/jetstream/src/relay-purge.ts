/**
 * Makes room where a relay takes from: what the log has taken is purged, about once a second (R2).
 * A purge that fails is told and tried again; until it succeeds the ingress fills, and then
 * refuses.
 */
import { apiRequest } from "./api-request.ts";
import type { RelaySource } from "./relay-source.ts";
import type { Session } from "./session.ts";

const pauseMs = 1000;
const pauseMsMax = 60_000;

export class RelayPurge {
  readonly #session: Session;
  readonly #source: RelaySource;
  #sequence = 0;
  #failures = 0;
  #timer: NodeJS.Timeout | undefined;
  #stopped = false;

  constructor(session: Session, source: RelaySource) {
    this.#session = session;
    this.#source = source;
  }

  /** Everything up to this sequence is in the log. */
  upTo(sequence: number): void {
    this.#sequence = sequence;
    if (this.#timer !== undefined || this.#stopped) return;
    const waitMs = Math.min(pauseMs * 2 ** this.#failures, pauseMsMax);
    this.#timer = setTimeout(() => void this.#purge(), waitMs);
  }

  stop(): void {
    this.#stopped = true;
    clearTimeout(this.#timer);
  }

  async #purge(): Promise<void> {
    const { faults } = this.#session;
    const { purged, stream, what } = this.#source;
    const sequence = this.#sequence;
    try {
      // The server keeps this sequence and what comes after it.
      const filter = purged === undefined ? {} : { filter: purged };
      const request = { seq: sequence + 1, ...filter };
      await apiRequest(this.#session, `STREAM.PURGE.${stream}`, request);
      this.#failures = 0;
    } catch (thrown) {
      this.#failures += 1;
      if (!this.#stopped) faults.tell(`${what}: making room`, thrown);
    }
    this.#timer = undefined;
    if (this.#failures > 0 || this.#sequence > sequence) this.upTo(this.#sequence);
  }
}
