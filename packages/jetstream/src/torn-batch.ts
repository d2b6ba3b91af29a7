/**
 * Backups that end in the middle of an atomic batch.
 *
 * The server's snapshot of a stream that is written to may hold the first messages of a batch and
 * not the last one: a turn without what it sends (I3). Nobody has seen such a batch, because only a
 * restored stream shows it, at its end; so the first process that connects to one takes it away.
 * The last message of a whole batch says so, and messages behind it are younger than the stream.
 */
import type { StoredMsg, StreamInfo } from "@nats-io/jetstream";

import { mismatch } from "./stream-mismatch.ts";

/** The part of the client's manager that is needed here. */
export interface StoredMessages {
  getMessage(stream: string, query: { readonly seq: number }): Promise<StoredMsg | null>;
  deleteMessage(stream: string, sequence: number, erase: boolean): Promise<boolean>;
}

/** @throws StreamMismatchError when this user may not remove it */
export async function removeTornBatch(
  messages: StoredMessages,
  { config, created, state }: StreamInfo,
): Promise<void> {
  const { last_seq: last, last_ts: lastAt } = state;
  if (state.messages === 0 || Date.parse(lastAt) >= Date.parse(created)) return;
  const end = await messages.getMessage(config.name, { seq: last });
  const count = tornOf(end);
  try {
    // The end goes last: after an interruption the next process finds it, and goes on.
    for (let sequence = last - count + 1; sequence <= last; sequence++) {
      const isThere = (await messages.getMessage(config.name, { seq: sequence })) !== null;
      if (isThere) await messages.deleteMessage(config.name, sequence, false);
    }
  } catch (cause) {
    const left = await messages.getMessage(config.name, { seq: last });
    if (tornOf(left) === 0) return;
    throw mismatch(
      config,
      `it was restored from a backup that ends in the middle of a batch, and removing the ${count} messages failed (${String(cause)}): connect once with a user that may delete messages, such as an operator`,
    );
  }
}

/** Number of messages of a batch that lie there without its last one; 0 when the batch is whole. */
function tornOf(end: StoredMsg | null): number {
  const header = end?.header;
  if (header === undefined || !header.has("Nats-Batch-Id")) return 0;
  return header.has("Nats-Batch-Commit") ? 0 : Number(header.get("Nats-Batch-Sequence"));
}
