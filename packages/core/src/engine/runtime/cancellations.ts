/**
 * Asks that were given up by their askers, as far as this worker was told.
 *
 * The word may come before its ask, while that waits in a queue, or while its handler runs; it may
 * also never come, and then only the ask's deadline tells. Each word is remembered for a while,
 * bounded in number (I7).
 */
import type { Log } from "../../log/log.ts";

export class Cancellations {
  readonly #givenUp = new Set<string>();
  /**
   * Actions by reply address, which is that of several turns when an ask is on the log twice, or
   * was published, and of all that is sent on its behalf.
   */
  readonly #watchers = new Map<string, Set<() => void>>();
  readonly #unlisten: () => void;

  constructor(log: Log) {
    this.#unlisten = log.onAskCancelled((replyTo) => this.#heard(replyTo));
  }

  /** Whether nobody waits for a reply to this address any more. */
  has(replyTo: string): boolean {
    return this.#givenUp.has(replyTo);
  }

  /** Hear when this ask is given up. Returns the function that ends it. */
  watch(replyTo: string, action: () => void): () => void {
    const actions = this.#watchers.get(replyTo) ?? new Set();
    this.#watchers.set(replyTo, actions.add(action));
    return () => {
      actions.delete(action);
      if (actions.size === 0 && this.#watchers.get(replyTo) === actions) {
        this.#watchers.delete(replyTo);
      }
    };
  }

  stop(): void {
    this.#unlisten();
  }

  #heard(replyTo: string): void {
    this.#givenUp.add(replyTo);
    const [oldest] = this.#givenUp;
    if (oldest !== undefined && this.#givenUp.size > rememberedMax) this.#givenUp.delete(oldest);
    for (const action of this.#watchers.get(replyTo) ?? []) action();
  }
}

const rememberedMax = 10_000;
