/**
 * Removing what is not kept any more (LOG-11): purges by subject, up to a sequence. A purge is
 * idempotent, so one without an answer is asked for again.
 *
 * The server goes through every block of the stream that has a message of the subject. DESIGN.md,
 * "Removing", tells the costs.
 */
import { LogRefusedError } from "@troupe/core/errors";
import { keyToToken } from "@troupe/core/log";
import type { AgentId, InputPlace, Position } from "@troupe/core/log";

import { apiRequest } from "./api-request.ts";
import { inputSubject } from "./input-subject.ts";
import { leaderGet } from "./leader-get.ts";
import { retryUnavailable } from "./retry.ts";
import type { Session } from "./session.ts";
import { nextPosition } from "./stream-position.ts";

/** Does the work of `Log.truncateJournal`. */
export async function truncateJournal(
  session: Session,
  agent: AgentId,
  before: Position,
): Promise<number> {
  const { subjects } = session;
  const { stream } = subjects;
  const subject = subjects.journal(agent);
  const look = async (): Promise<boolean> =>
    before > 0 && (await leaderGet(session, stream, { seq: before }))?.subject === subject;
  if (await retryUnavailable(look, { timeoutMs: session.acceptTimeoutMs })) {
    return purge(session, subject, before);
  }
  throw new LogRefusedError(
    `The journal of ${agent.type}/${agent.key} has no record at ${before}: nothing was removed, because the last record always stays.`,
    { details: { stream, subject, position: before } },
  );
}

/** Does the work of `Log.truncateJournals`. */
export async function truncateJournals(
  session: Session,
  type: string,
  before: Position,
): Promise<number> {
  return purge(session, session.subjects.everywhere("journal", `${token(type)}.*`), before);
}

/** Does the work of `Log.removeInputs`. */
export async function removeInputs(
  session: Session,
  { key, kind, name }: InputPlace,
  before: Position,
): Promise<number> {
  const { subjects } = session;
  if (key !== undefined) return purge(session, inputSubject(subjects, { kind, name, key }), before);
  // One token, not `>`: it covers no reader's filter (SCOPE-4 in reader-scope.ts).
  return purge(session, subjects.everywhere("in", `${kind}.${token(name)}.*`), before);
}

/** Answer of `Log.firstInput`. */
export function firstInput(
  session: Session,
  partition: number,
  after: Position,
  place?: Pick<InputPlace, "kind" | "name">,
): Promise<Position | undefined> {
  const { subjects } = session;
  const all = subjects.partition(partition);
  const filter =
    place === undefined ? all : all.replace(/>$/, `${place.kind}.${token(place.name)}.>`);
  return nextPosition(session, filter, after);
}

/** A name is one token, or it would be a pattern here. @throws InvalidKeyError */
function token(name: string): string {
  return keyToToken(name);
}

/** The server keeps this sequence and what comes after it; without one it would keep nothing. */
function purge(session: Session, filter: string, seq: Position): Promise<number> {
  if (!(seq > 0)) return Promise.resolve(0);
  const attempt = async (): Promise<number> => {
    const subject = `STREAM.PURGE.${session.subjects.stream}`;
    const answer = await apiRequest<{ readonly purged: number }>(session, subject, { filter, seq });
    return answer.purged;
  };
  return retryUnavailable(attempt, { timeoutMs: session.acceptTimeoutMs });
}
