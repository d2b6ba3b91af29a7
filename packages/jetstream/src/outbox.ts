/**
 * Messages for another shard: an atomic batch and a timer stay within one stream, so a message lies
 * in the outbox of its sender's shard, and the other shard's relay takes it from there (SHARD-1).
 *
 *  OUT-1 An outbox has one subject for each pair of shards: a relay reads one literal subject, in
 *        order, and taken messages are purged from it without a look at anything else.
 *  OUT-2 The message itself is kept as it would have been stored, with its subject in a header.
 *        Headers that the server has a meaning for do not come along; of two of them the content is
 *        kept under names of ours.
 */
import type { DraftMessage } from "./draft-message.ts";
import { headerLine } from "./header-block.ts";
import { visitHeaders } from "./header-text.ts";
import { decodeText, encodeText, metadataHeader, nextFiringHeader } from "./metadata-headers.ts";
import { partitionOfSubject, type Subjects } from "./subjects.ts";

/** Destination of a message in an outbox. */
const destination = "Troupe-To";

/** The message as it is stored in this shard: as it is, or in the outbox for its own shard. */
export function placed(message: DraftMessage, subjects: Subjects): DraftMessage {
  if (subjects.shards === 1) return message;
  const shard = partitionOfSubject(subjects, message.subject) % subjects.shards;
  if (shard === subjects.shard) return message;
  const { lines, payload, subject } = message;
  const to = headerLine(destination, encodeText(subject));
  return { subject: subjects.outbox(shard), lines: to + lines, payload };
}

/** A message from an outbox as it is stored where it belongs. */
export function unpacked({
  block,
  payload,
}: {
  readonly block: string;
  readonly payload: Uint8Array;
}): DraftMessage {
  let subject = "";
  let lines = "";
  visitHeaders(block, (name, value) => {
    if (name === destination) subject = decodeText(value);
    else if (name === metadataHeader.id) lines += headerLine(metadataHeader.sentId, value);
    else if (name === nextFiringHeader.server) lines += headerLine(nextFiringHeader.kept, value);
    else if (!name.startsWith("Nats-")) lines += headerLine(name, value);
  });
  return { subject, lines, payload };
}
