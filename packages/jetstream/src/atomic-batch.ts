/**
 * Messages that the stream stores all together or not at all.
 *
 * All of them leave in one go, without waiting; only the last one asks for an answer. They are
 * stored at contiguous sequences, so the answer's sequence gives the position of each.
 */
import type { DraftMessage } from "./draft-message.ts";
import { headerBlock, headerLine } from "./header-block.ts";
import type { ReplyWaiter } from "./reply-box.ts";
import type { Session } from "./session.ts";

/** Publishes at least one message; the waiter hears the answer about all. */
export function publishBatch(
  { replyBox, commitTimeoutMs }: Session,
  id: string,
  messages: readonly DraftMessage[],
  waiter: ReplyWaiter,
): void {
  const idLine = headerLine("Nats-Batch-Id", id);
  const last = messages.length - 1;
  for (const [index, { lines, payload, subject }] of messages.entries()) {
    const head = idLine + headerLine("Nats-Batch-Sequence", index + 1);
    if (index < last) {
      replyBox.sendOnly(subject, payload, headerBlock(head + lines));
      continue;
    }
    const headers = headerBlock(head + headerLine("Nats-Batch-Commit", 1) + lines);
    replyBox.send({ subject, payload, headers, timeoutMs: commitTimeoutMs, waiter });
  }
}
