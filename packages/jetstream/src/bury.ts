/** Storing a dead letter on its own, once per input however often it is tried. */
import type { DeadLetter } from "@troupe/core/log";

import { deadLetterMessage } from "./dead-letter-record.ts";
import { headerLine } from "./header-block.ts";
import { isConflict, publishError, serverCode } from "./publish-error.ts";
import { publish } from "./publish.ts";
import { retryUnavailable } from "./retry.ts";
import type { Session } from "./session.ts";

/**
 * The subject holds the input's position and the publish expects it to be unused, so a second one
 * is refused, which is the same as stored. @throws LogUnavailableError, LogRefusedError
 */
export async function bury(session: Session, letter: DeadLetter): Promise<void> {
  const { lines, payload } = deadLetterMessage(letter, session.limits.payloadBytesMax);
  const message = {
    subject: session.subjects.buried(letter.agent, letter.inputPosition),
    lines: headerLine("Nats-Expected-Last-Subject-Sequence", 0) + lines,
    payload,
  };
  const attempt = async (): Promise<void> => {
    const { error } = await publish(session, message);
    if (error === undefined || error.err_code === serverCode.wrongLastSequence) return;
    // Another write is on its way: whether it arrives is known a moment later.
    const outcome = isConflict(error) ? { ...error, code: 503 } : error;
    throw publishError(outcome, `The dead letter of position ${letter.inputPosition}`);
  };
  await retryUnavailable(attempt, { timeoutMs: session.acceptTimeoutMs });
}
