/**
 * Counting replies on the raw connection, so that every contestant's replies cost this process the
 * same.
 */
import type { NatsConnection } from "@nats-io/nats-core";

export interface CountedReplies {
  /** Address that replies go to. */
  readonly address: string;
  /** Resolves when so many have come. */
  readonly all: Promise<void>;
}

export function countReplies(connection: NatsConnection, count: number): CountedReplies {
  const address = `_INBOX.bench.${process.hrtime.bigint().toString(36)}`;
  const { promise, resolve } = Promise.withResolvers<void>();
  let seen = 0;
  const subscription = connection.subscribe(address, {
    callback: () => {
      seen += 1;
      if (seen < count) return;
      subscription.unsubscribe();
      resolve();
    },
  });
  return { address, all: promise };
}
