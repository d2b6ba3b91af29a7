/** Errors of personal data and their keys. */
import { TroupeError } from "./troupe-error.ts";

/**
 * The store of the keys gives no answer, or refuses. Turns and reads that need the keys wait and
 * are tried again; nothing counts as a failed run meanwhile.
 */
export class KeysUnavailableError extends TroupeError {
  readonly code = "keys-unavailable";
  override readonly retryable = true;
}

/**
 * The store of the keys is there, and has neither the key that something was sealed with nor the
 * note that it was erased: it is another store, or was restored from before. Turns and reads that
 * need the key wait, because nothing says that the data were to be forgotten.
 */
export class MissingKeyError extends TroupeError {
  readonly code = "missing-key";
  override readonly retryable = true;
}

/** A sealed part cannot be opened with its key: it was changed after it was stored. */
export class CorruptSealError extends TroupeError {
  readonly code = "corrupt-seal";
}

/**
 * The personal data in a message, reply or result of a step were erased before it was used: there
 * is nothing to handle any more.
 */
export class PersonalDataErasedError extends TroupeError {
  readonly code = "personal-data-erased";
}

/**
 * The agent was erased: its earlier messages and answers are not there any more. `details.handled`
 * is false when the message is known not to have been handled; otherwise nobody knows.
 */
export class AgentErasedError extends TroupeError {
  readonly code = "agent-erased";
}
