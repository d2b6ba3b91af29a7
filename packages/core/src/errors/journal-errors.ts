/**
 * Errors of a journal itself. Nothing is lost by it: the agent waits and is tried again, and
 * everybody else goes on.
 */
import { TroupeError } from "./troupe-error.ts";

/**
 * Turns are missing from a journal: nothing may be folded over the hole, because the state would be
 * wrong. Restore the stream, or remove the limit that dropped them.
 */
export class JournalHoleError extends TroupeError {
  readonly code = "journal-hole";
}

/**
 * Recorded steps of a turn that is still running contain digests of another key than the namespace
 * has now: the control stream was lost, or is not the one of this log. Restore its cell
 * `digest-key`; until then the agent waits, because its effects would happen again.
 */
export class DigestKeyError extends TroupeError {
  readonly code = "digest-key";
  override readonly retryable = true;
}
