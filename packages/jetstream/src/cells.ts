/**
 * Cells: the last value of a subject in the control stream, written with the expected sequence.
 *
 * The stream's leader compares, so of several writers one succeeds (LOG-7). A read is a direct get
 * and may be a moment behind on several replicas; a write based on it is then refused. That a cell
 * changed is broadcast by its writer after the stream's answer, because a message on the cell's own
 * subject would reach listeners before it is stored, and also when it is refused.
 */
import { RevisionConflictError } from "@troupe/core/errors";
import { requireCellFits } from "@troupe/core/log";
import type { Cell, Position, ReadOptions } from "@troupe/core/log";

import { getLast, retryTimeoutMs } from "./direct-get.ts";
import { headerLine } from "./header-block.ts";
import { leaderGet, type LeaderMessage } from "./leader-get.ts";
import { retryUnavailable } from "./retry.ts";
import { keepSubscribed } from "./kept-subscription.ts";
import { isConflict, publishError } from "./publish-error.ts";
import { publish } from "./publish.ts";
import type { Session } from "./session.ts";

export async function readCell(
  session: Session,
  name: string,
  { firm = false }: ReadOptions = {},
): Promise<Cell | undefined> {
  const { subjects } = session;
  if (firm) return firmCell(session, subjects.cell(name));
  const stored = await getLast(session, subjects.controlStream, subjects.cell(name));
  if (stored === undefined) return undefined;
  const { position, storedAtMs } = stored;
  return { revision: position, value: stored.message.data, storedAtMs };
}

/** The leader answers in JSON, content and all: cells are small. */
async function firmCell(session: Session, subject: string): Promise<Cell | undefined> {
  const attempt = (): Promise<LeaderMessage | undefined> =>
    leaderGet(session, session.subjects.controlStream, { last_by_subj: subject });
  const stored = await retryUnavailable(attempt, { timeoutMs: retryTimeoutMs });
  if (stored === undefined) return undefined;
  const value = Buffer.from(stored.data ?? "", "base64");
  return { revision: stored.seq, value, storedAtMs: Date.parse(stored.time) };
}

export async function writeCell(
  session: Session,
  name: string,
  value: Uint8Array,
  expectedRevision: Position,
): Promise<Position> {
  requireCellFits(name, value, session.limits);
  const { subjects } = session;
  const lines = headerLine("Nats-Expected-Last-Subject-Sequence", expectedRevision);
  const ack = await publish(session, { subject: subjects.cell(name), lines, payload: value });
  if (ack.error === undefined) {
    tell(session, name, ack.seq);
    return ack.seq;
  }
  if (!isConflict(ack.error)) throw publishError(ack.error, `The value of the cell ${name}`);
  throw new RevisionConflictError(
    `The cell ${name} is not at revision ${expectedRevision} any more (${ack.error.description}); nothing was stored. Read it and decide again.`,
    { details: { cell: name, expectedRevision, serverCode: ack.error.err_code } },
  );
}

/** Hear what `writeCell` tells. Returns the function that ends it. */
export function onCell(
  session: Session,
  name: string,
  listener: (revision: Position) => void,
): () => void {
  const { link, subjects } = session;
  const kept = keepSubscribed(link.connection, subjects.cellChanges(name), (error, message) => {
    const revision = error === null ? Number(message.string()) : 0;
    // Anybody can publish on the subject.
    if (Number.isSafeInteger(revision) && revision > 0) listener(revision);
  });
  return () => kept.unsubscribe();
}

/**
 * Tells others that a cell changed; that may be lost (LOG-5), so a connection that is gone by now
 * changes nothing.
 */
function tell(session: Session, name: string, revision: Position): void {
  if (!session.link.isUp) return;
  session.link.connection.publish(session.subjects.cellChanges(name), String(revision));
}
