/**
 * Emitting a failure where nothing may be lost: a failure has no bound of its own, an event has one
 * (`eventBytesMax`). A failure that does not fit goes without its details, because a job that is
 * not told of its failure would wait for ever (JOB-2).
 */
import { EventTooLargeError } from "../../errors/message-errors.ts";
import type { ErrorData } from "../../errors/troupe-error.ts";

/** Returns what `emit` returns. @throws EventTooLargeError when not even the bare failure fits */
export function emitFailure<Told>(failure: ErrorData, emit: (failure: ErrorData) => Told): Told {
  try {
    return emit(failure);
  } catch (thrown) {
    if (!(thrown instanceof EventTooLargeError)) throw thrown;
    const { code, message, retryable } = failure;
    return emit({ code, message: message.slice(0, bareMessageMax), retryable });
  }
}

/** Characters. */
const bareMessageMax = 256;
