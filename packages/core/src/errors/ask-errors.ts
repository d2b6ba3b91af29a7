/** Errors that an asker can get. */
import type { ErrorData } from "./troupe-error.ts";
import { TroupeError } from "./troupe-error.ts";

/** No worker ever registered this agent type in this namespace. */
export class UnknownAgentError extends TroupeError {
  readonly code = "unknown-agent";
}

/** The agent type is known, but it handles no message of this name. */
export class UnknownMessageError extends TroupeError {
  readonly code = "unknown-message";
}

/**
 * No reply came before the deadline. The turn keeps nothing if it was not done by then; that it
 * was, and only its reply is missing, cannot be excluded. Asking again with the same message id
 * tells: it returns the recorded reply, or this error with `details.kept` false.
 */
export class AskDeadlineError extends TroupeError {
  readonly code = "ask-deadline";
  override readonly retryable = true;
}

/**
 * The caller gave up through its AbortSignal. The worker whose turn it is gets to know, and keeps
 * nothing, unless the turn was done already or the word was lost.
 */
export class AskCancelledError extends TroupeError {
  readonly code = "ask-cancelled";
}

/** An agent would wait for itself: A asks B, B asks A. Use `send` for one of the two directions. */
export class CallCycleError extends TroupeError {
  readonly code = "call-cycle";
}

/** Asks are nested deeper than the limit. */
export class CallDepthError extends TroupeError {
  readonly code = "call-depth";
}

/**
 * The agent's turn failed with an error that is not one of ours; `remote` holds what it recorded.
 */
export class RemoteTurnError extends TroupeError {
  readonly code = "remote-turn-failed";
  readonly remote: ErrorData;

  constructor(message: string, remote: ErrorData) {
    super(message, { details: { ...remote.details, remoteCode: remote.code } });
    this.remote = remote;
  }
}
