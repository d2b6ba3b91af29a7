/** Errors only this implementation of the log has; everything else is in core's log errors. */
import { TroupeError } from "@troupe/core";

/** The server is too old, or it runs without JetStream. Nothing was created. */
export class UnsupportedServerError extends TroupeError {
  readonly code = "unsupported-server";
}

/** A stream of the namespace exists, but it was not made for Troupe or was changed in a way that would lose messages. */
export class StreamMismatchError extends TroupeError {
  readonly code = "stream-mismatch";
}
