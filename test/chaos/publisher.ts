/**
 * Load with a bound: some lanes, each with one message on its way, at a steady pace.
 *
 * A key belongs to one lane, so its numbers are accepted in order. A message that was not accepted
 * is sent again under the same id; after a while the run fails, because then the broker is gone for
 * good.
 */
import { setTimeout as sleep } from "node:timers/promises";

import { TroupeError } from "@troupe/core";

export interface Load {
  readonly keys: readonly string[];
  /** Most messages on their way at once. */
  readonly lanes: number;
  readonly perSecond: number;
  /**
   * Whether too much waits already: what is sent faster than it is handled tells of the machine.
   */
  readonly isBehind?: (accepted: number) => boolean;
  /** Resolves when the message is accepted. */
  readonly send: (key: string, n: number, id: string) => Promise<unknown>;
}

export class Publisher {
  accepted = 0;
  /** Number of messages that were accepted, by key. */
  readonly counts: ReadonlyMap<string, number>;
  readonly #counts: Map<string, number>;
  readonly #load: Load;

  constructor(load: Load) {
    this.#load = load;
    this.#counts = new Map(load.keys.map((key) => [key, 0]));
    this.counts = this.#counts;
  }

  /** Publish until the signal fires. */
  async run(signal: AbortSignal): Promise<void> {
    const { lanes } = this.#load;
    await Promise.all(Array.from({ length: lanes }, (_, lane) => this.#lane(lane, signal)));
  }

  async #lane(lane: number, signal: AbortSignal): Promise<void> {
    const { isBehind, keys, lanes, perSecond } = this.#load;
    const own = keys.filter((_, i) => i % lanes === lane);
    const pauseMs = (lanes * 1000) / perSecond;
    let dueAt = performance.now() + (lane / lanes) * pauseMs;
    for (let i = 0; own.length > 0; i++) {
      // After an outage it goes on at its pace, without making up for what it missed.
      dueAt = Math.max(dueAt + pauseMs, performance.now());
      const waitMs = Math.max(0, dueAt - performance.now());
      await sleep(waitMs, undefined, { signal }).catch(() => undefined);
      if (signal.aborted) return;
      if (isBehind?.(this.accepted) === true) continue;
      await this.#next(own[i % own.length] ?? "");
    }
  }

  async #next(key: string): Promise<void> {
    const n = (this.#counts.get(key) ?? 0) + 1;
    const id = `${key}-${n}`;
    for (let attempt = 1; ; attempt++) {
      try {
        await this.#load.send(key, n, id);
        break;
      } catch (thrown) {
        const again = thrown instanceof TroupeError && thrown.retryable && attempt < attemptsMax;
        if (!again) throw thrown;
      }
    }
    this.#counts.set(key, n);
    this.accepted += 1;
  }
}

/** Each takes up to 30 s, and the broker recognises an id for two minutes. */
const attemptsMax = 3;
