/**
 * Messages that are stored, as the stream's leader says. Any replica may answer a direct get, also
 * one that is behind; so where "nothing there" decides something, the leader is asked. It answers
 * in JSON, which costs more, so the content itself is still read directly.
 */
import { LogRefusedError, LogUnavailableError } from "@troupe/core/errors";
import type { Position } from "@troupe/core/log";

import { apiRequest } from "./api-request.ts";
import { getAt, retryTimeoutMs, type StoredMessage } from "./direct-get.ts";
import { retryUnavailable } from "./retry.ts";
import type { Session } from "./session.ts";

/** A message as the leader gives it; header block and payload are in base64. */
export interface LeaderMessage {
  readonly subject: string;
  readonly seq: Position;
  /** Time at which it was stored, as text. */
  readonly time: string;
  readonly hdrs?: string;
  readonly data?: string;
}

type LeaderGet =
  | { readonly seq: Position; readonly next_by_subj?: string }
  | { readonly last_by_subj: string };

/** Error codes of the server for a position where no message is (any more). */
const nothingThere: ReadonlySet<unknown> = new Set([10037, 10043, 10057]);

/** The message, or undefined when the leader has none. @throws LogUnavailableError */
export async function leaderGet(
  session: Session,
  stream: string,
  body: LeaderGet,
): Promise<LeaderMessage | undefined> {
  const answer = await unlessNothingThere(
    apiRequest<{ readonly message: LeaderMessage }>(session, `STREAM.MSG.GET.${stream}`, body),
  );
  return answer?.message;
}

/** Undefined where the leader says that nothing is there. */
export async function unlessNothingThere<T>(request: Promise<T>): Promise<T | undefined> {
  try {
    return await request;
  } catch (error) {
    const isRefused = error instanceof LogRefusedError;
    if (isRefused && nothingThere.has(error.details["serverCode"])) return undefined;
    throw error;
  }
}

/** A replica answered that has not stored what the leader has: to be asked again. */
export function behind(stream: string, position: Position): LogUnavailableError {
  return new LogUnavailableError(
    `A replica of the stream ${stream} is behind: it does not have what its leader has at ${position}.`,
    { details: { stream, position } },
  );
}

/** The message at a position; undefined only when the leader has none either. */
export function firmAt(
  session: Session,
  stream: string,
  position: Position,
): Promise<StoredMessage | undefined> {
  const attempt = async (): Promise<StoredMessage | undefined> => {
    const found = await getAt(session, stream, position);
    if (found !== undefined) return found;
    const there = await leaderGet(session, stream, { seq: position });
    if (there !== undefined) throw behind(stream, position);
    return undefined;
  };
  return retryUnavailable(attempt, { timeoutMs: retryTimeoutMs });
}
