/** Errors of an archive and the store it lies in. */
import { TroupeError } from "./troupe-error.ts";

/**
 * The archive's store gave no answer, so the outcome is unknown. Nothing is truncated meanwhile;
 * the same call may succeed later.
 */
export class ArchiveUnavailableError extends TroupeError {
  readonly code = "archive-unavailable";
  override readonly retryable = true;
}

/** The archive's store refused the call: no right, no such bucket, no room, or it cannot do it. */
export class ArchiveRefusedError extends TroupeError {
  readonly code = "archive-refused";
}

/**
 * An object of the archive is not what was written: its bytes changed. `details` name it, and the
 * agent that was asked for. Restore it from a copy; other agents are read as before.
 */
export class ArchiveDamagedError extends TroupeError {
  readonly code = "archive-damaged";
}

/**
 * A segment that the archive's manifest names is not in the store. Restore it from a copy; agents
 * that have nothing in it are read as before.
 */
export class ArchiveMissingError extends TroupeError {
  readonly code = "archive-missing";
}

/** Others changed the archive so often that this change found no place between; try again. */
export class ArchiveBusyError extends TroupeError {
  readonly code = "archive-busy";
  override readonly retryable = true;
}
