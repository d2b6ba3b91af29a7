/**
 * Questions to the stream's leader about positions: the last one, the message at one, and the next
 * on a subject.
 */
import type { LogEnd, Position, StoredAt } from "@troupe/core/log";

import { apiRequest } from "./api-request.ts";
import { leaderGet } from "./leader-get.ts";
import { retryUnavailable } from "./retry.ts";
import type { Session } from "./session.ts";
import { logMetadata } from "./log-stream.ts";
import { restStart } from "./subjects.ts";

/** Position of the last message of the shard's stream. */
export async function lastPosition(session: Session): Promise<Position> {
  return (await logEnd(session)).last;
}

/** Identity of the stream, by the time at which it was made, and its end. */
export function logEnd(
  session: Session,
  stream: string = session.subjects.stream,
): Promise<LogEnd> {
  const attempt = async (): Promise<LogEnd> => {
    const info = await apiRequest<StreamAnswer>(session, `STREAM.INFO.${stream}`, {});
    session.time.said(Date.parse(info.ts));
    if (stream === session.subjects.stream) learnIdentity(session, info);
    return { log: `${stream} ${info.created}`, last: info.state.last_seq };
  };
  return retryUnavailable(attempt, { timeoutMs: session.acceptTimeoutMs });
}

/** Takes over the identity of a log that was made anew since the connection was made. */
function learnIdentity({ identity }: Session, { config }: StreamAnswer): void {
  identity.id = config.metadata?.[logMetadata.id] ?? identity.id;
}

interface StreamAnswer {
  readonly config: { readonly metadata?: Readonly<Record<string, string>> };
  readonly created: string;
  /** Time at which it answered, by its clock. */
  readonly ts: string;
  readonly state: { readonly last_seq: number };
}

/**
 * Message at a position of a stream; undefined when there is none. Asked once: callers ask again
 * and again.
 */
export async function messageAt(
  session: Session,
  stream: string,
  position: Position,
): Promise<StoredAt | undefined> {
  const found = await leaderGet(session, stream, { seq: position });
  if (found === undefined) return undefined;
  const payload = Buffer.from(found.data ?? "", "base64");
  const isLasting = (["in", "journal"] as const).some(
    (kind) => restStart(session.subjects, found.subject, kind) >= 0,
  );
  return { storedAtMs: Date.parse(found.time), payload, isLasting };
}

/**
 * Position of the first message after `after` under a subject with or without wildcards; undefined
 * when there is none.
 */
export function nextPosition(
  session: Session,
  filter: string,
  after: Position,
): Promise<Position | undefined> {
  const attempt = async (): Promise<Position | undefined> => {
    const request = { seq: after + 1, next_by_subj: filter };
    return (await leaderGet(session, session.subjects.stream, request))?.seq;
  };
  return retryUnavailable(attempt, { timeoutMs: session.acceptTimeoutMs });
}
