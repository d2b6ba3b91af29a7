/**
 * Reading an agent's records. Most agents that a worker meets for the first time have none or a
 * few, and every journal is read until nothing is left; so each page begins with the question for
 * one record, which is cheap (see direct-get.ts), and the first record of a journal comes alone.
 */
import type { AgentId, JournalEntry, Position, ReadOptions } from "@troupe/core/log";

import { getNext, getRange, retryTimeoutMs, type StoredMessage } from "./direct-get.ts";
import { behind, leaderGet } from "./leader-get.ts";
import { journalEntry } from "./journal-entry.ts";
import { retryUnavailable } from "./retry.ts";
import type { Session } from "./session.ts";

/** Entries that `Log.journal` returns. @throws LogUnavailableError */
export async function readJournal(
  session: Session,
  { after, agent }: { readonly agent: AgentId; readonly after: Position },
  options: ReadOptions = {},
): Promise<readonly JournalEntry[]> {
  const { subjects } = session;
  const range = { stream: subjects.stream, subject: subjects.journal(agent), after };
  const next =
    options.firm === true
      ? await firmNext(session, range, options)
      : await getNext(session, range, options);
  if (next === undefined) return [];
  const entryOf = (stored: StoredMessage): JournalEntry => journalEntry(session, stored);
  if (after === 0) return [entryOf(next)];
  const page = await getRange(session, { ...range, after: next.position - 1 }, options);
  // Another replica may be behind the one that answered first.
  return page.length > 0 ? page.map(entryOf) : [entryOf(next)];
}

/** Undefined only when the leader has none either. */
function firmNext(
  session: Session,
  range: { readonly stream: string; readonly subject: string; readonly after: Position },
  { signal }: ReadOptions,
): Promise<StoredMessage | undefined> {
  const { after, stream, subject } = range;
  const attempt = async (): Promise<StoredMessage | undefined> => {
    const next = await getNext(session, range, { signal });
    if (next !== undefined) return next;
    const there = await leaderGet(session, stream, { seq: after + 1, next_by_subj: subject });
    if (there !== undefined) throw behind(stream, there.seq);
    return undefined;
  };
  return retryUnavailable(attempt, { timeoutMs: retryTimeoutMs, signal });
}
