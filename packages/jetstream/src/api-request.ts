/**
 * Requests to JetStream's API through our own inbox, so that they fail at once when the connection
 * drops. The client's own requests would wait for their time-out.
 */
import type { TroupeError } from "@troupe/core";
import { LogRefusedError, LogUnavailableError } from "@troupe/core/errors";

import type { ApiError } from "./pub-ack.ts";
import { isTemporary } from "./publish-error.ts";
import type { Session } from "./session.ts";

const answerTimeoutMs = 3000;

/**
 * The JSON answer to a request. @throws LogRefusedError with `details.serverCode` for a final no,
 * LogUnavailableError
 */
export async function apiRequest<T>(session: Session, subject: string, body: object): Promise<T> {
  const payload = Buffer.from(JSON.stringify(body));
  const reply = await session.replyBox.request(`$JS.API.${subject}`, payload, answerTimeoutMs);
  const answer = JSON.parse(reply.string()) as T & { readonly error?: ApiError };
  if (answer.error !== undefined) throw apiError(subject, answer.error);
  return answer;
}

function apiError(subject: string, error: ApiError): TroupeError {
  const details = { subject, serverCode: error.err_code };
  const text = `JetStream refused ${subject}: ${error.description}.`;
  if (isTemporary(error)) return new LogUnavailableError(text, { details });
  return new LogRefusedError(text, { details });
}
