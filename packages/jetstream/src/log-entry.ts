/** Any stored message as people know it: an input, a turn or a dead letter. */
import type { Msg } from "@nats-io/nats-core";
import { tokenToKey, type AgentId, type LogEntry } from "@troupe/core/log";

import { deadLetterOf } from "./dead-letter-record.ts";
import { isInputSubject } from "./input-subject.ts";
import { isAcknowledgement } from "./journal-entry.ts";
import { storedInput } from "./stored-input.ts";
import { restStart, type Subjects } from "./subjects.ts";

/**
 * Undefined for a message that is none of the three, such as one somebody else wrote to an internal
 * subject.
 */
export function logEntry(
  subjects: Subjects,
  message: Msg,
  at: { readonly position: number; readonly storedAtMs: number },
): LogEntry | undefined {
  const { subject } = message;
  if (isInputSubject(subjects, subject)) {
    return { kind: "input", input: storedInput(subjects, subject, message, at) };
  }
  if (restStart(subjects, subject, "dead") >= 0) {
    const deadLetter = deadLetterOf(message.headers, message.data);
    if (deadLetter === undefined) return undefined;
    return { kind: "dead-letter", ...at, deadLetter };
  }
  const agent = journalAgent(subjects, subject);
  if (agent === undefined || isAcknowledgement(message.data)) return undefined;
  const entry = { revision: at.position, record: message.data, committedAtMs: at.storedAtMs };
  return { kind: "turn", agent, entry };
}

/** The agent whose journal is under `<ns>.<partition>.journal.<type>.<token>`. */
function journalAgent(subjects: Subjects, subject: string): AgentId | undefined {
  const start = restStart(subjects, subject, "journal");
  const dot = start < 0 ? -1 : subject.indexOf(".", start);
  if (dot < 0) return undefined;
  try {
    return {
      type: subject.slice(start, dot),
      key: tokenToKey(subject.slice(dot + 1)),
    };
  } catch {
    return undefined;
  }
}
