/** Errors only this implementation of the log has; everything else is in core's log errors. */
import { TroupeError } from "@troupe/core";

/** The server is too old, or it runs without JetStream. Nothing was created. */
export class UnsupportedServerError extends TroupeError {
  readonly code = "unsupported-server";
}

/**
 * A stream of the namespace cannot hold a Troupe log: it was made for something else, it was
 * changed in a way that would lose messages, or the server refuses to create it.
 */
export class StreamMismatchError extends TroupeError {
  readonly code = "stream-mismatch";
}
