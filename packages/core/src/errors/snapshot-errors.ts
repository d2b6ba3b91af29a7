/**
 * Why a state has no snapshot, or one that is not used. Never a failure of the agent: its state is
 * folded from the journal instead, which only takes longer. The inspection feed says so, as a
 * fault.
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
