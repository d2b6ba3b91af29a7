/**
 * Reading an agent's records. Most agents that a worker meets for the first time have none or a
 * few, and every journal is read until nothing is left; so each page begins with the question for
 * one record, which is cheap (see direct-get.ts), and the first record of a journal comes alone.
 */
import type { AgentId, CallOptions, JournalEntry, Position } from "@troupe/core";

import { getNext, getRange, type StoredMessage } from "./direct-get.ts";
import type { Session } from "./session.ts";

/** What `Log.journal` returns. @throws LogUnavailableError */
export async function readJournal(
  session: Session,
  { after, agent }: { readonly agent: AgentId; readonly after: Position },
  options?: CallOptions,
): Promise<readonly JournalEntry[]> {
  const { subjects } = session;
  const range = { stream: subjects.stream, subject: subjects.journal(agent), after };
  const next = await getNext(session, range, options);
  if (next === undefined) return [];
  if (after === 0) return [entryOf(next)];
  const page = await getRange(session, { ...range, after: next.position - 1 }, options);
  // Another replica may be behind the one that answered first.
  return page.length > 0 ? page.map(entryOf) : [entryOf(next)];
}

function entryOf({ message, position, storedAtMs }: StoredMessage): JournalEntry {
  return { revision: position, record: message.data, committedAtMs: storedAtMs };
}
