/**
 * Deposits as fast as the broker takes them: plain publishes to where our own client stores its
 * messages, and one acknowledgement in a while tells that everything before it on this connection
 * is stored.
 */
import { headers } from "@nats-io/nats-core";
import type { MsgHdrs, NatsConnection } from "@nats-io/nats-core";
import { partitionCountDefault } from "@troupe/core/log";
import { subjects } from "@troupe/jetstream";

import { account, depositBytes, traceparent } from "./ledger.ts";

export interface Flood {
  readonly namespace: string;
  readonly keys: number;
  /** Number of the first one; it says which keys get them. @default 0 */
  readonly from?: number;
  readonly count: number;
  /** @default depositBytes */
  readonly payload?: Uint8Array;
  /** Asking for a reply at this address. @default none */
  readonly replyTo?: string;
}

/** Resolves when the broker has all. */
export async function flood(connection: NatsConnection, wanted: Flood): Promise<void> {
  const { count, from = 0, keys, namespace, payload = depositBytes } = wanted;
  const head = depositHeaders();
  if (wanted.replyTo !== undefined) head.set("Troupe-Reply-To", wanted.replyTo);
  const acknowledgedEvery = Math.max(1, Math.min(100, Math.floor(2 ** 20 / payload.byteLength)));
  const subjectOf = depositSubjects(namespace, keys);
  const flying: Promise<unknown>[] = [];
  for (let number = from; number < from + count; number++) {
    const subject = subjectOf(number);
    const isLast = number === from + count - 1;
    if (!isLast && number % acknowledgedEvery !== 0) {
      connection.publish(subject, payload, { headers: head });
      continue;
    }
    flying.push(connection.request(subject, payload, { headers: head, timeout: 30_000 }));
    if (flying.length >= flyingMax) await flying.shift();
  }
  await Promise.all(flying);
}

/** The subject of the deposit with a number: the keys are `key-0` and so on. */
export function depositSubjects(namespace: string, keys: number): (number: number) => string {
  const names = subjects(namespace, partitionCountDefault);
  return (number) => {
    const key = `key-${number % keys}`;
    return names.input("agent", account.type, key);
  };
}

/** Headers of a deposit. */
export function depositHeaders(): MsgHdrs {
  const head = headers();
  head.set("Troupe-Message", "deposit");
  head.set("Content-Type", "application/msgpack");
  head.set("traceparent", traceparent);
  return head;
}

/**
 * At most 400 messages or 4 MiB on their way: far below what a stream takes before it drops any.
 */
const flyingMax = 4;
