/**
 * Questions to the stream's leader about positions: what is last, and what comes next on a subject.
 */
import { LogRefusedError, type Position } from "@troupe/core";

import { apiRequest } from "./api-request.ts";
import { retryUnavailable } from "./retry.ts";
import type { Session } from "./session.ts";

const noMessageFound = 10037;

/** Position of the last message of the shard's stream. */
export function lastPosition(session: Session): Promise<Position> {
  const attempt = async (): Promise<Position> => {
    const subject = `STREAM.INFO.${session.subjects.stream}`;
    const info = await apiRequest<{ readonly state: { readonly last_seq: number } }>(
      session,
      subject,
      {},
    );
    return info.state.last_seq;
  };
  return retryUnavailable(attempt, { timeoutMs: session.acceptTimeoutMs });
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
    const subject = `STREAM.MSG.GET.${session.subjects.stream}`;
    try {
      const request = { seq: after + 1, next_by_subj: filter };
      const answer = await apiRequest<{ readonly message: { readonly seq: number } }>(
        session,
        subject,
        request,
      );
      return answer.message.seq;
    } catch (error) {
      if (error instanceof LogRefusedError && error.details["serverCode"] === noMessageFound)
        return undefined;
      throw error;
    }
  };
  return retryUnavailable(attempt, { timeoutMs: session.acceptTimeoutMs });
}
