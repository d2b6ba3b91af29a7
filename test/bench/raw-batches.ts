/** Atomic batches by hand on the raw client, as JetStream's documentation tells to write them. */
import { jetstream, jetstreamManager } from "@nats-io/jetstream";
import type { ConsumerMessages, JetStreamManager } from "@nats-io/jetstream";
import { headers, nanos } from "@nats-io/nats-core";
import type { MsgHdrs, NatsConnection } from "@nats-io/nats-core";

import { depositBytes, traceparent, windowed } from "./ledger.ts";

export interface RawBatches {
  readonly messages: number;
  readonly batchMax: number;
  readonly inFlight: number;
  /** Consumers that each get their part of what is stored, and do nothing with it. */
  readonly readers: number;
}

/** Messages per second, on a plain stream of its own that is gone afterwards. */
export async function publishRawBatches(
  connection: NatsConnection,
  { batchMax, inFlight, messages, readers }: RawBatches,
): Promise<number> {
  const manager = await jetstreamManager(connection);
  await manager.streams.add({ name: stream, subjects: ["batches.>"], allow_atomic: true });
  const reading: ConsumerMessages[] = [];
  for (let reader = 0; reader < readers; reader++) {
    reading.push(await startReader(connection, manager, reader));
  }
  const subjectOf = (sequence: number): string =>
    `batches.${sequence % Math.max(1, readers)}.key-${sequence % 100}`;
  const startedAt = performance.now();
  await windowed(Math.ceil(messages / batchMax), inFlight, async (number) => {
    const size = Math.min(batchMax, messages - number * batchMax);
    const id = `batch-${number}`;
    for (let sequence = 1; sequence < size; sequence++) {
      connection.publish(subjectOf(sequence), depositBytes, { headers: headOf(id, sequence) });
    }
    const last = headOf(id, size);
    last.set("Nats-Batch-Commit", "1");
    const answer = await connection.request(subjectOf(size), depositBytes, {
      headers: last,
      timeout: 30_000,
    });
    const { error } = answer.json<{ readonly error?: unknown }>();
    if (error !== undefined) throw new Error(`A raw batch was refused: ${JSON.stringify(error)}`);
  });
  const seconds = (performance.now() - startedAt) / 1000;
  // What still asked for messages would be a load on the next contestant.
  for (const each of reading) each.stop();
  await manager.streams.delete(stream);
  return messages / seconds;
}

const stream = "batches";

/** As a worker reads a partition: without acknowledgements, up to 1024 messages ahead. */
async function startReader(
  connection: NatsConnection,
  manager: JetStreamManager,
  reader: number,
): Promise<ConsumerMessages> {
  const { name } = await manager.consumers.add(stream, {
    ack_policy: "none",
    filter_subject: `batches.${reader}.>`,
    mem_storage: true,
    inactive_threshold: nanos(60_000),
  });
  const consumer = await jetstream(connection).consumers.get(stream, name);
  return await consumer.consume({ max_messages: 1024, callback: () => undefined });
}

/** With the metadata that a message of ours carries. */
function headOf(batch: string, sequence: number): MsgHdrs {
  const head = headers();
  head.set("Nats-Batch-Id", batch);
  head.set("Nats-Batch-Sequence", String(sequence));
  head.set("Troupe-Id", `${batch}:${sequence}`);
  head.set("Troupe-Message", "deposit");
  head.set("Content-Type", "application/msgpack");
  head.set("traceparent", traceparent);
  return head;
}
