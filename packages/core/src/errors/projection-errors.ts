/** Errors that stop a projection or hold it up. */
import { TroupeError } from "./troupe-error.ts";

/**
 * A projection's handler threw, or the record cannot be read. Nothing of the event is in the model;
 * `details` say which event of which agent it was, and where.
 */
export class PoisonEventError extends TroupeError {
  readonly code = "poison-event";
}

/**
 * The sink gave no answer, so the outcome of the transaction is unknown. The checkpoint tells it:
 * trying again is safe.
 */
export class SinkUnavailableError extends TroupeError {
  readonly code = "sink-unavailable";
  override readonly retryable = true;
}

/** The sink refused what it was asked, and would again: a missing right, a broken definition. */
export class SinkRefusedError extends TroupeError {
  readonly code = "sink-refused";
}

/** The read model was built by a newer version of the projection; this code is too old for it. */
export class OutdatedProjectionError extends TroupeError {
  readonly code = "outdated-projection";
}

/** The checkpoint is not from this log, or the projection's agents changed under its version. */
export class ForeignCheckpointError extends TroupeError {
  readonly code = "foreign-checkpoint";
}
