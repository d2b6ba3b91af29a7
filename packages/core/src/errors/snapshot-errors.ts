/**
 * Reasons why a state has no snapshot, or one that is not used. Never a failure of the agent: its
 * state is folded from the journal instead, which only takes longer. The inspection feed says so,
 * as a fault.
 */
import { TroupeError } from "./troupe-error.ts";

/**
 * The state has more bytes than `stateBytesMax`, or than the log takes, so no snapshot of it is
 * taken.
 */
export class StateTooLargeError extends TroupeError {
  readonly code = "state-too-large";
}

/** The bytes of a snapshot are not what was stored, so it is not used. */
export class CorruptSnapshotError extends TroupeError {
  readonly code = "corrupt-snapshot";
}

/**
 * The journal does not have the record after which a snapshot was taken: the log went back, was
 * made anew, or records were removed. The snapshot is not used, and the journal decides.
 */
export class ForeignSnapshotError extends TroupeError {
  readonly code = "foreign-snapshot";
}
