/**
 * What can go wrong with a local nats-server, one class per condition. Each has a literal `code`
 * to switch on, and `retryable` says whether the same call may succeed a moment later.
 */

/** One place where a nats-server was looked for, and why none could be used from there. */
export type BinaryAttempt = {
  /** The place in words, such as "PATH" or "the release download". */
  readonly place: string;
  readonly reason: string;
};

/** The base of all errors of this module. */
export abstract class NatsServerError extends Error {
  abstract readonly code: string;
  abstract readonly retryable: boolean;
}

/** No usable nats-server was found in any of the places that were tried. */
export class NatsServerNotFoundError extends NatsServerError {
  override readonly name = "NatsServerNotFoundError";
  readonly code = "nats_server_not_found";
  readonly retryable = false;
  readonly attempts: readonly BinaryAttempt[];

  constructor(minimumVersion: string, attempts: readonly BinaryAttempt[], options?: ErrorOptions) {
    const tried = attempts.map(({ place, reason }) => `  - ${place}: ${reason}`).join("\n");
    super(
      `No nats-server ${minimumVersion} or newer was found. Tried, in this order:\n${tried}\n` +
        "Install one and set TROUPE_NATS_SERVER to its path, or set TROUPE_NATS_URL to the URL " +
        "of a running server.",
      options,
    );
    this.attempts = attempts;
  }
}

/** The server process ended, or did not become healthy in time, while it was being started. */
export class NatsServerStartError extends NatsServerError {
  override readonly name = "NatsServerStartError";
  readonly code = "nats_server_start_failed";
  readonly retryable: boolean;
  /** The last lines the server logged in this attempt; empty when it logged nothing. */
  readonly logLines: readonly string[];

  constructor(
    what: string,
    logLines: readonly string[],
    options: ErrorOptions & { readonly retryable: boolean },
  ) {
    const log = logLines.length > 0 ? `\n  ${logLines.join("\n  ")}` : " (nothing)";
    super(`nats-server did not start: ${what}. It logged:${log}`, options);
    this.logLines = logLines;
    this.retryable = options.retryable;
  }
}

/** A server was asked to restart after `stop()`, which gave up its port and temporary store. */
export class NatsServerStoppedError extends NatsServerError {
  override readonly name = "NatsServerStoppedError";
  readonly code = "nats_server_stopped";
  readonly retryable = false;

  constructor(url: string) {
    super(`The nats-server at ${url} was stopped for good. Call startNatsServer() for a new one.`);
  }
}
