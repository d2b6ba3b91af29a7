/**
 * The least that could answer durably: a publish whose acknowledgement is awaited, a consumer that
 * answers at once without storing anything, and the answer.
 */
import { jetstream, jetstreamManager } from "@nats-io/jetstream";
import type { NatsConnection } from "@nats-io/nats-core";

import { depositBytes } from "./ledger.ts";

export interface BareResponder {
  /** Resolves when both the acknowledgement and the answer are here. */
  ask(): Promise<void>;
}

export async function startBareResponder(connection: NatsConnection): Promise<BareResponder> {
  const stream = "bare";
  const manager = await jetstreamManager(connection);
  await manager.streams.add({ name: stream, subjects: ["bare.>"] });
  await manager.consumers.add(stream, { durable_name: "bare", ack_policy: "none" });
  const consumer = await jetstream(connection).consumers.get(stream, "bare");
  const inbox = "_INBOX.bare";
  await consumer.consume({
    callback: (message) => connection.publish(`${inbox}.${message.subject.slice(5)}`, depositBytes),
  });
  const waiters = new Map<string, () => void>();
  connection.subscribe(`${inbox}.*`, {
    callback: (_error, { subject }) => waiters.get(subject)?.(),
  });
  let number = 0;
  return {
    async ask() {
      const id = number++;
      const { promise, resolve } = Promise.withResolvers<void>();
      waiters.set(`${inbox}.${id}`, resolve);
      await Promise.all([connection.request(`bare.${id}`, depositBytes), promise]);
      waiters.delete(`${inbox}.${id}`);
    },
  };
}
