/**
 * Errors that stop the fold of a journal. The journal is right and the code does not fit it, so
 * nothing is lost: the agent waits, is tried again, and goes on as soon as code runs that can read
 * it.
 */
import { TroupeError } from "./troupe-error.ts";

/** The fold threw. Correct it, and raise the version of the state. */
export class FoldError extends TroupeError {
  readonly code = "fold-failed";
}

/** A journal holds an event that its agent type does not declare (any more). */
export class UnknownEventError extends TroupeError {
  readonly code = "unknown-event";
}

/**
 * A journal holds an event of a newer version than this code declares, as in a rolling deploy: only
 * a worker with the newer code can go on with this agent.
 */
export class NewerEventError extends TroupeError {
  readonly code = "newer-event";
}

/**
 * An input is meant for newer code than this worker runs: its agent waits, with everything behind
 * it, until a worker with that code takes the partition. Nothing is passed over, nothing becomes a
 * dead letter.
 */
export class UnknownHereError extends TroupeError {
  readonly code = "unknown-here";
  override readonly retryable = true;
}

/** A journal holds an event of an older version, and nothing is declared that lifts it. */
export class MissingUpcasterError extends TroupeError {
  readonly code = "missing-upcaster";
}

/** An upcaster threw, or did not return at once. */
export class UpcastError extends TroupeError {
  readonly code = "upcast-failed";
}
