/**
 * A stored message as a record of a journal.
 *
 * A stranger cannot publish to a journal, but can name one as the place for the server's answer to
 * a message on a public subject: the server does not check reply subjects, and the stream stores
 * the acknowledgement like any other message. It is none of ours and changes nothing, but it keeps
 * its place, because the server counts it when it compares the expected revision.
 */
import { emptyRecord } from "@troupe/core/engine";
import { UnreadableRecordError } from "@troupe/core/errors";
import type { JournalEntry } from "@troupe/core/log";

import type { StoredMessage } from "./direct-get.ts";
import type { Session } from "./session.ts";

/** Tells a fault where the record is the server's acknowledgement of something else. */
export function journalEntry(
  { faults, subjects }: Pick<Session, "faults" | "subjects">,
  { message, position, storedAtMs, subject }: StoredMessage,
): JournalEntry {
  const entry = { revision: position, record: message.data, committedAtMs: storedAtMs };
  if (!isAcknowledgement(message.data)) return entry;
  const error = new UnreadableRecordError(
    `The message at ${position} (${subject}) is an acknowledgement of the server and not a record: somebody ` +
      "published with the journal as the reply subject. It is left out. Look who may publish.",
    { details: { stream: subjects.stream, position, subject } },
  );
  faults.tellOnce(`${subjects.stream} ${position}`, "reading a journal", error);
  return { ...entry, record: emptyRecord() };
}

const acknowledgement = Buffer.from('{"stream":"');

/** A record begins as a map of MessagePack does, which is never a brace. */
export function isAcknowledgement(data: Uint8Array): boolean {
  return (
    data[0] === acknowledgement[0] && acknowledgement.compare(data, 0, acknowledgement.length) === 0
  );
}
