/**
 * Watches how many records the journals hold, and measures the longest time in which they did not
 * grow.
 *
 * It asks the broker a few times a second with a connection of its own, so an outage of the broker
 * is part of the time, as it is for everybody else.
 */
import { setTimeout as sleep } from "node:timers/promises";

import { jetstreamManager, type JetStreamManager } from "@nats-io/jetstream";
import { connect as dial, type NatsConnection } from "@nats-io/transport-node";

export class StallWatch implements AsyncDisposable {
  records = 0;
  maxStallMs = 0;
  readonly #client: NatsConnection;
  readonly #namespace: string;
  readonly #ended = new AbortController();
  readonly #watching: Promise<void>;

  private constructor(client: NatsConnection, namespace: string) {
    this.#client = client;
    this.#namespace = namespace;
    this.#watching = this.#watch();
  }

  /** The time counts from the first record on. */
  static async start(servers: readonly string[], namespace: string): Promise<StallWatch> {
    const client = await dial({
      servers: [...servers],
      maxReconnectAttempts: -1,
      reconnectTimeWait: 100,
      timeout: 5000,
    });
    return new StallWatch(client, namespace);
  }

  /** Stop counting. */
  async stop(): Promise<void> {
    this.#ended.abort();
    await this.#watching;
  }

  /**
   * Records that there are now, also after the end. A broker that is slow to say is asked again.
   */
  async count(): Promise<number> {
    const manager = await jetstreamManager(this.#client, { checkAPI: false, timeout: 30_000 });
    for (let attempt = 1; ; attempt++) {
      try {
        const records = await recordsOf(manager, this.#namespace);
        this.records = Math.max(this.records, records);
        return this.records;
      } catch (thrown) {
        if (attempt === attemptsMax) throw thrown;
      }
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
    await this.#client.close();
  }

  async #watch(): Promise<void> {
    const { signal } = this.#ended;
    // A question that an outage swallows must not be waited for long after it.
    const manager = await jetstreamManager(this.#client, { checkAPI: false, timeout: 500 });
    let grownAt = performance.now();
    while (!signal.aborted) {
      const records = await recordsOf(manager, this.#namespace).catch(() => this.records);
      const now = performance.now();
      if (this.records > 0) this.maxStallMs = Math.max(this.maxStallMs, Math.round(now - grownAt));
      if (records > this.records || this.records === 0) grownAt = now;
      this.records = Math.max(records, this.records);
      await sleep(pollMs, undefined, { signal }).catch(() => undefined);
    }
  }
}

async function recordsOf(manager: JetStreamManager, namespace: string): Promise<number> {
  const subjects_filter = `${namespace}.*.journal.*.*`;
  const { state } = await manager.streams.info(`${namespace}-0`, { subjects_filter });
  return Object.values(state.subjects ?? {}).reduce((sum, count) => sum + count, 0);
}

const pollMs = 200;
const attemptsMax = 10;
