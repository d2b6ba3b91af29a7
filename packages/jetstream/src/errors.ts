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

/**
 * The log is in another namespace now: `troupe move` took it there, and its old stream takes
 * nothing any more. Nothing was stored by this attempt. Connect to the other namespace; a message
 * that an earlier attempt may have stored is recognised there by its id.
 */
export class LogMovedError extends TroupeError {
  readonly code = "log-moved";
  override readonly retryable = true;
}

/** A log cannot be moved so: `details` say why. Nothing was changed. */
export class MoveRefusedError extends TroupeError {
  readonly code = "move-refused";
}

/**
 * The moved messages differ from the log they come from. The new namespace stays closed; the old
 * one is untouched.
 */
export class MoveMismatchError extends TroupeError {
  readonly code = "move-mismatch";
}

/**
 * An address is none of a NATS server, what listens there is none, or two have different
 * credentials.
 */
export class ServerAddressError extends TroupeError {
  readonly code = "server-address";
}

/**
 * The server refused who we are, or this user may not do what a Troupe needs to start; or the file
 * or seed that proves who we are cannot be used.
 */
export class AccessDeniedError extends TroupeError {
  readonly code = "access-denied";
}

/**
 * The server does not let this user publish or subscribe where the engine needs to, while it runs:
 * `details.operation` and `details.subject` say where. Nothing was stored there. Rights may be
 * given back, so turns and sends that can wait are tried again.
 */
export class PermissionDeniedError extends TroupeError {
  readonly code = "permission-denied";
  override readonly retryable = true;
}

/**
 * TLS did not come about: a certificate is not trusted, missing, or not for this server; a file
 * cannot be read; or only one side asks for TLS.
 */
export class InsecureConnectionError extends TroupeError {
  readonly code = "insecure-connection";
}
