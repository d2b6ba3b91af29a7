/**
 * The connection as the rest of this package uses it: whether it is up, and listeners that are told
 * when that changes.
 *
 * Nothing is published while it is down: the client would buffer it and drop the buffer on the next
 * attempt.
 */
import { PermissionViolationError, type NatsConnection } from "@nats-io/nats-core";
import type { TroupeError } from "@troupe/core";
import { LogClosedError, LogUnavailableError } from "@troupe/core/errors";
import { errorData, type LogStatus } from "@troupe/core/log";

import { PermissionDeniedError } from "./errors.ts";
import { guardSocket } from "./socket-guard.ts";

/** An operation that the server did not allow us. */
export interface Denial {
  readonly operation: "publish" | "subscription";
  readonly subject: string;
  readonly error: PermissionDeniedError;
}

export class Link {
  readonly connection: NatsConnection;
  #status: LogStatus = "connected";
  readonly #listeners = new Set<(status: LogStatus) => void>();
  readonly #denialListeners = new Set<(denial: Denial) => void>();
  readonly #watching: Promise<void>;

  constructor(connection: NatsConnection) {
    this.connection = connection;
    guardSocket(connection);
    this.#watching = this.#watch();
  }

  get status(): LogStatus {
    return this.#status;
  }

  get isUp(): boolean {
    return this.#status === "connected";
  }

  /** Returns the function that ends it. */
  onStatus(listener: (status: LogStatus) => void): () => void {
    this.#listeners.add(listener);
    return () => {
      this.#listeners.delete(listener);
    };
  }

  /** Hear what the user of this connection lacks the right to do, when it was tried. */
  onDenied(listener: (denial: Denial) => void): void {
    this.#denialListeners.add(listener);
  }

  /**
   * Resolves when the server has seen everything sent so far. @throws LogClosedError,
   * LogUnavailableError
   */
  async flush(): Promise<void> {
    try {
      if (this.isUp) return await this.connection.flush();
    } catch {
      // The connection was lost or closed meanwhile.
    }
    throw this.downError("Nothing can be flushed");
  }

  /** Reason why nothing works at the moment. */
  downError(what: string): TroupeError {
    if (this.#status === "closed") return new LogClosedError(`${what}: the log was closed.`);
    return new LogUnavailableError(`${what}: there is no connection to the server at the moment.`);
  }

  async close(): Promise<void> {
    this.#set("closed");
    await this.connection.close();
    await this.#watching;
  }

  async #watch(): Promise<void> {
    for await (const status of this.connection.status()) {
      if (status.type === "disconnect") this.#set("disconnected");
      if (status.type === "error" && status.error instanceof PermissionViolationError) {
        this.#denied(status.error);
      }
      if (status.type === "reconnect") {
        guardSocket(this.connection);
        this.#set("connected");
      }
    }
    // The client gave up by itself, for example because its credentials were revoked.
    this.#set("closed");
  }

  #denied({ operation, subject }: PermissionViolationError): void {
    const verb = operation === "publish" ? "publish to" : "subscribe to";
    const error = new PermissionDeniedError(
      `This user may not ${verb} ${subject}: add it to the user's permissions (docs/security.md lists what each role needs).`,
      { details: { operation, subject } },
    );
    for (const listener of this.#denialListeners) listener({ operation, subject, error });
  }

  #set(status: LogStatus): void {
    if (this.#status === status || this.#status === "closed") return;
    this.#status = status;
    for (const listener of this.#listeners) {
      try {
        listener(status);
      } catch (cause) {
        // It must not end the watching, nor keep the others from hearing.
        process.emitWarning(`A listener of the log's status threw: ${errorData(cause).message}`);
      }
    }
  }
}
