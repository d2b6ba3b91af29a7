/** Errors between the engine and the log. */
import { TroupeError } from "./troupe-error.ts";

/**
 * Another worker wrote to the journal first: the expected revision is no longer the last one (I5).
 * The turn is not committed; reload the journal and decide again.
 */
export class RevisionConflictError extends TroupeError {
  readonly code = "revision-conflict";
  override readonly retryable = true;
}

/**
 * The log gave no answer, so the outcome is unknown: the write may or may not be there.
 * Read the journal before trying again.
 */
export class LogUnavailableError extends TroupeError {
  readonly code = "log-unavailable";
  override readonly retryable = true;
}

/** The log refused the write and nothing was stored. */
export class LogRefusedError extends TroupeError {
  readonly code = "log-refused";
}

/**
 * A stored record of the engine's own, such as a floor or a manifest, is not what it should be. It
 * is left out; `details` say where it lies.
 */
export class UnreadableRecordError extends TroupeError {
  readonly code = "unreadable-record";
}

/**
 * The worker would make the system larger than the log has room for readers: agent types times
 * partitions. Nothing was started. Host fewer types in one namespace, make it with fewer
 * partitions, or give the log's stream more consumers.
 */
export class TooManyReadersError extends TroupeError {
  readonly code = "too-many-readers";
}

/** The log was closed by this process. */
export class LogClosedError extends TroupeError {
  readonly code = "log-closed";
}

/**
 * The log ends before a position that was known, or something else lies there: a backup was
 * restored, or its tail was lost. The worker reads the rest again; nothing that was accepted
 * afterwards is skipped.
 */
export class LogWentBackError extends TroupeError {
  readonly code = "log-went-back";
}

/**
 * The log is another one under the same name: its stream was removed and made again. Everything in
 * it is handled from its beginning on.
 */
export class LogMadeAnewError extends TroupeError {
  readonly code = "log-made-anew";
}

/**
 * The clock of a worker's process and the log's differ by seconds. Deadlines and timers go by the
 * log's; times in records do not.
 */
export class ClockDiffersError extends TroupeError {
  readonly code = "clock-differs";
}

/** The message was not sent, because too many others wait to be sent. */
export class TooManyWaitingError extends TroupeError {
  readonly code = "too-many-waiting";
  override readonly retryable = true;
}

/** More bytes than the configured limit; nothing was stored. */
export class PayloadTooLargeError extends TroupeError {
  readonly code = "payload-too-large";
}
