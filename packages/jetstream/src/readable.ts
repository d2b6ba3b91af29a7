/**
 * Records that are read in bulk are read one by one (I14): one that nobody can read costs itself.
 * It is left out, and told once with the way past it.
 */
import { UnreadableRecordError } from "@troupe/core/errors";

import type { StoredMessage } from "./direct-get.ts";
import type { Session } from "./session.ts";

/**
 * A kind of record, its name for people, and the way from its JSON to its value; undefined when it
 * is none.
 */
export interface RecordKind<Value> {
  /** `floor`, `manifest`. */
  readonly name: string;
  /** Consequence for the reader: `The partition is read from its beginning.` */
  readonly consequence: string;
  /** The record's value; undefined when the JSON is none of the kind. */
  readonly valueOf: (json: unknown, subject: string) => Value | undefined;
}

/** The record's value; undefined after the fault was told. */
export function readable<Value>(
  session: Session,
  stored: StoredMessage,
  kind: RecordKind<Value>,
): Value | undefined {
  const value = valueOf(stored, kind);
  if (value !== undefined) return value;
  const { position, subject } = stored;
  const { controlStream } = session.subjects;
  const error = new UnreadableRecordError(
    `The ${kind.name} at ${position} (${subject}) cannot be read and is left out. ${kind.consequence} ` +
      `Remove it with "nats stream rmm ${controlStream} ${position}".`,
    { details: { stream: controlStream, subject, position } },
  );
  session.faults.tellOnce(`${controlStream} ${position}`, `reading a ${kind.name}`, error);
  return undefined;
}

function valueOf<Value>(
  { message, subject }: StoredMessage,
  kind: RecordKind<Value>,
): Value | undefined {
  try {
    return kind.valueOf(message.json(), subject);
  } catch {
    return undefined;
  }
}

/** The fields of a JSON object; none when it is something else. */
export function fieldsOf(json: unknown): Readonly<Record<string, unknown>> {
  return typeof json === "object" && json !== null ? (json as Record<string, unknown>) : {};
}
