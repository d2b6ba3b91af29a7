/**
 * Up to where the log has taken the ingress, as the leaders of both streams say: the last marker of
 * the relay, and whether the ingress is still the one that the marker is about (R3).
 */
import { LogRefusedError, LogUnavailableError, type Position } from "@troupe/core";

import { apiRequest } from "./api-request.ts";
import type { Session } from "./session.ts";

export interface Taken {
  /** When the ingress was made, which tells it from another one of its name. */
  readonly ingress: string;
  /** Everything in it up to here is in the log. */
  readonly sequence: number;
  /** Position of the marker that says so, 0 when there is none. */
  readonly revision: Position;
}

const noMessageFound = 10037;

interface StreamInfo {
  readonly created: string;
  readonly state: { readonly last_seq: number };
}

/** @throws LogUnavailableError, LogRefusedError */
export async function lastTaken(session: Session): Promise<Taken> {
  const { ingressStream } = session.subjects;
  const { created: ingress, state } = await apiRequest<StreamInfo>(
    session,
    `STREAM.INFO.${ingressStream}`,
    {},
  );
  const marker = await lastMarker(session);
  if (marker === undefined) return { ingress, sequence: 0, revision: 0 };
  const { revision, said } = marker;
  if (said?.ingress === ingress && said.sequence <= state.last_seq) {
    return { ingress, sequence: said.sequence, revision };
  }
  session.faults.tell("taking in foreign messages", startedAgain(ingressStream, revision));
  return { ingress, sequence: 0, revision };
}

interface Marker {
  readonly ingress: string;
  readonly sequence: number;
}

/** The last marker; what it said is undefined when nobody can read it. */
async function lastMarker(
  session: Session,
): Promise<{ readonly revision: Position; readonly said: Marker | undefined } | undefined> {
  const { stream, taken } = session.subjects;
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
    const { ingress, sequence } = JSON.parse(Buffer.from(data, "base64").toString()) as Marker;
    const isMarker = typeof ingress === "string" && Number.isSafeInteger(sequence) && sequence >= 0;
    return isMarker ? { ingress, sequence } : undefined;
  } catch {
    return undefined;
  }
}

function startedAgain(stream: string, revision: Position): LogUnavailableError {
  return new LogUnavailableError(
    `The stream ${stream} is not the one that the marker at ${revision} is about: it was made anew, restored or cut. It is taken in from its beginning, so that nothing is lost; what was taken before comes twice.`,
    { details: { stream, position: revision } },
  );
}
