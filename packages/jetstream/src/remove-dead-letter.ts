/**
 * Removing one dead letter, and nothing but a dead letter.
 *
 * The stream's leader is asked what lies at the position before it is deleted. A position never
 * gets another message, so nothing can come in between.
 */
import { MsgHdrsImpl } from "@nats-io/nats-core";
import type { Position } from "@troupe/core/log";

import { apiRequest } from "./api-request.ts";
import { deadLetterOf } from "./dead-letter-record.ts";
import { leaderGet, unlessNothingThere } from "./leader-get.ts";
import { retryUnavailable } from "./retry.ts";
import type { Session } from "./session.ts";
import { restStart } from "./subjects.ts";

/** False when there is no dead letter at this position. @throws LogUnavailableError */
export async function removeDeadLetter(session: Session, position: Position): Promise<boolean> {
  if (!(position > 0)) return false;
  // An attempt whose answer was lost may have removed it.
  let hasTried = false;
  const attempt = async (): Promise<boolean> => {
    if (!(await isDeadLetter(session, position))) return hasTried;
    hasTried = true;
    const subject = `STREAM.MSG.DELETE.${session.subjects.stream}`;
    const request = { seq: position, no_erase: true };
    const answer = await unlessNothingThere(
      apiRequest<{ readonly success: boolean }>(session, subject, request),
    );
    return answer?.success === true;
  };
  return retryUnavailable(attempt, { timeoutMs: session.acceptTimeoutMs });
}

async function isDeadLetter(session: Session, position: Position): Promise<boolean> {
  const { subjects } = session;
  const message = await leaderGet(session, subjects.stream, { seq: position });
  if (message === undefined) return false;
  const { data = "", hdrs = "", subject } = message;
  if (restStart(subjects, subject, "dead") < 0 || hdrs === "") return false;
  const headers = MsgHdrsImpl.decode(Buffer.from(hdrs, "base64"));
  return deadLetterOf(headers, Buffer.from(data, "base64")) !== undefined;
}
