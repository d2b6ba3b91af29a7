/** Errors of a local nats-server, one class per condition. */

import { TroupeError } from "@troupe/core";

/** A place where a nats-server was looked for, and the reason why none could be used from there. */
export type BinaryAttempt = {
  /** The place in words, such as "PATH" or "the release download". */
  readonly place: string;
  readonly reason: string;
};

/** No usable nats-server was found in any of the places that were tried. */
export class NatsServerNotFoundError extends TroupeError {
  readonly code = "nats-server-not-found";
  /** Places that were tried, in this order. */
  readonly attempts: readonly BinaryAttempt[];

  constructor(minimumVersion: string, attempts: readonly BinaryAttempt[]) {
    const tried = attempts.map(({ place, reason }) => `  - ${place}: ${reason}`).join("\n");
    super(
      `No nats-server ${minimumVersion} or newer was found. Tried, in this order:\n${tried}\n` +
        "Install one and set TROUPE_NATS_SERVER to its path, or set TROUPE_NATS_URL to the URL " +
        "of a running server.",
      { details: { minimumVersion, attempts } },
    );
    this.attempts = attempts;
  }
}

/**
 * The server process ended, or did not become healthy in time, while it was being started.
 * Retryable when a port was taken.
 */
export class NatsServerStartError extends TroupeError {
  readonly code = "nats-server-start-failed";
  override readonly retryable: boolean;
  /** The last lines the server logged in this attempt; empty when it logged nothing. */
  readonly logLines: readonly string[];

  constructor(
    what: string,
    logLines: readonly string[],
    options: { readonly retryable: boolean; readonly cause?: unknown },
  ) {
    const log = logLines.length > 0 ? `:\n  ${logLines.join("\n  ")}` : " nothing.";
    super(`nats-server did not start: ${what}. It logged${log}`, {
      details: { logLines },
      cause: options.cause,
    });
    this.logLines = logLines;
    this.retryable = options.retryable;
  }
}

/** A server was asked to restart after `stop()`, which gave up its port and temporary store. */
export class NatsServerStoppedError extends TroupeError {
  readonly code = "nats-server-stopped";

  constructor(url: string) {
    super(`The nats-server at ${url} was stopped for good. Call startNatsServer() for a new one.`, {
      details: { url },
    });
  }
}

/** Another server works on the same store; two at once would destroy it. */
export class NatsServerStoreInUseError extends TroupeError {
  readonly code = "nats-server-store-in-use";
  override readonly retryable = true;

  constructor(storeDir: string, ownerPid: number, serverPid: number | undefined) {
    const server = serverPid === undefined ? "a nats-server" : `the nats-server ${serverPid}`;
    super(
      `${storeDir} is in use by ${server} that process ${ownerPid} started. Stop that one first, ` +
        "or choose another storeDir.",
      { details: { storeDir, ownerPid, serverPid } },
    );
  }
}
