/**
 * Removing one dead letter, and nothing but a dead letter.
 *
 * The stream's leader is asked what lies at the position before it is deleted. A position never
 * gets another message, so nothing can come in between.
 */
import { MsgHdrsImpl } from "@nats-io/nats-core";
import { LogRefusedError, type Position } from "@troupe/core";

import { apiRequest } from "./api-request.ts";
import { deadLetterOf } from "./dead-letter-record.ts";
import { retryUnavailable } from "./retry.ts";
import type { Session } from "./session.ts";

/** Error codes of the server for a position where no message is (any more). */
const nothingThere: ReadonlySet<unknown> = new Set([10037, 10043, 10057]);

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

interface RawMessage {
  readonly message: { readonly subject: string; readonly hdrs?: string; readonly data?: string };
}

async function isDeadLetter(session: Session, position: Position): Promise<boolean> {
  const { deadPrefix, stream } = session.subjects;
  const answer = await unlessNothingThere(
    apiRequest<RawMessage>(session, `STREAM.MSG.GET.${stream}`, { seq: position }),
  );
  if (answer === undefined) return false;
  const { data = "", hdrs = "", subject } = answer.message;
  if (!subject.startsWith(deadPrefix) || hdrs === "") return false;
  const headers = MsgHdrsImpl.decode(Buffer.from(hdrs, "base64"));
  return deadLetterOf(headers, Buffer.from(data, "base64")) !== undefined;
}

async function unlessNothingThere<T>(request: Promise<T>): Promise<T | undefined> {
  try {
    return await request;
  } catch (error) {
    const isRefused = error instanceof LogRefusedError;
    if (isRefused && nothingThere.has(error.details["serverCode"])) return undefined;
    throw error;
  }
}
