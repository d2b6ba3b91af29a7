/**
 * Up to where the log has taken a source, as the leaders of both streams say: the last marker of
 * the relay, and whether the source is still the one that the marker is about (RELAY-3).
 *
 * A sequence alone does not say that a message was taken: a stream that was restored from a backup
 * gives numbers again that it had given before. So the marker also holds the time at which the last
 * taken message was stored, and messages that were stored since are none of those.
 */
import { LogRefusedError, LogUnavailableError } from "@troupe/core/errors";
import type { Position } from "@troupe/core/log";

import { apiRequest } from "./api-request.ts";
import type { RelaySource } from "./relay-source.ts";
import type { Session } from "./session.ts";

export interface Taken {
  /** Tells the source from another one of its name. */
  readonly ingress: string;
  /** Time at which the server made it, which a restore does again. */
  readonly made: string;
  /** Set when it was restored since the marker was stored. */
  readonly isRestored: boolean;
  /** Sequence up to which all messages in it, not younger than `atMs`, are in the log. */
  readonly sequence: number;
  readonly atMs: number;
  /** Position of the marker that says so, 0 when there is none. */
  readonly revision: Position;
}

const noMessageFound = 10037;

interface StreamInfo {
  readonly created: string;
  readonly config: { readonly metadata?: Readonly<Record<string, string>> };
}

/** True when a message of the source is in the log. */
export function isTaken(
  { atMs, isRestored, made, sequence }: Taken,
  message: { readonly sequence: number; readonly storedAtMs: number },
): boolean {
  if (message.sequence > sequence || message.storedAtMs > atMs) return false;
  // The clock of the server that it was restored on may be behind: then twice is better than never.
  return !isRestored || message.storedAtMs < Date.parse(made);
}

/** @throws LogUnavailableError, LogRefusedError */
export async function lastTaken(
  session: Session,
  { identityKey, marker: subject, stream, what }: RelaySource,
): Promise<Taken> {
  const { config, created: made } = await apiRequest<StreamInfo>(
    session,
    `STREAM.INFO.${stream}`,
    {},
  );
  const ingress = config.metadata?.[identityKey] ?? made;
  const marker = await lastMarker(session, subject);
  const none = { ingress, made, isRestored: false, sequence: 0, atMs: 0 };
  if (marker === undefined) return { ...none, revision: 0 };
  const { revision, said } = marker;
  if (said?.ingress === ingress) {
    return { ...said, made, isRestored: said.made !== made, revision };
  }
  session.faults.tell(what, startedAgain(stream, revision));
  return { ...none, revision };
}

/** Stored in the log by the relay, with each batch. */
export type Marker = Pick<Taken, "ingress" | "made" | "sequence" | "atMs">;

/** The last marker; its contents are undefined when nobody can read it. */
async function lastMarker(
  session: Session,
  taken: string,
): Promise<{ readonly revision: Position; readonly said: Marker | undefined } | undefined> {
  const { stream } = session.subjects;
  try {
    const { message } = await apiRequest<{
      readonly message: { readonly seq: number; readonly data?: string };
    }>(session, `STREAM.MSG.GET.${stream}`, { last_by_subj: taken });
    return { revision: message.seq, said: markerOf(message.data ?? "") };
  } catch (error) {
    const isNothing =
      error instanceof LogRefusedError && error.details["serverCode"] === noMessageFound;
    if (isNothing) return undefined;
    throw error;
  }
}

function markerOf(data: string): Marker | undefined {
  try {
    const marker = JSON.parse(Buffer.from(data, "base64").toString()) as Marker;
    const { atMs, ingress, made, sequence } = marker;
    const isMarker =
      typeof ingress === "string" &&
      typeof made === "string" &&
      Number.isSafeInteger(sequence) &&
      Number.isSafeInteger(atMs) &&
      sequence >= 0;
    return isMarker ? { ingress, made, sequence, atMs } : undefined;
  } catch {
    return undefined;
  }
}

function startedAgain(stream: string, revision: Position): LogUnavailableError {
  return new LogUnavailableError(
    `The stream ${stream} is not the one that the marker at ${revision} is about: it was made anew. It is taken in from its beginning, so that nothing is lost; what was taken before comes twice.`,
    { details: { stream, position: revision } },
  );
}
