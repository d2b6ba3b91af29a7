/**
 * What can be wrong with a journal itself. Nothing is lost by it: the agent waits and is tried
 * again, and everybody else goes on.
 */
import { TroupeError } from "./troupe-error.ts";

/**
 * Turns are missing from a journal: nothing may be folded over the hole, because the state would be
 * wrong. Restore the stream, or remove the limit that dropped them.
 */
export class JournalHoleError extends TroupeError {
  readonly code = "journal-hole";
}
