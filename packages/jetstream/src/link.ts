/**
 * The connection as the rest of this package uses it: whether it is up, and who wants to know when
 * that changes.
 *
 * Nothing is published while it is down: the client would buffer it and drop the buffer on the next
 * attempt.
 */
import type { NatsConnection } from "@nats-io/nats-core";
import {
  errorData,
  LogClosedError,
  LogUnavailableError,
  type LogStatus,
  type TroupeError,
} from "@troupe/core";

import { guardSocket } from "./socket-guard.ts";

export class Link {
  readonly connection: NatsConnection;
  #status: LogStatus = "connected";
  readonly #listeners = new Set<(status: LogStatus) => void>();
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

  /** Why nothing works at the moment. */
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
      if (status.type === "reconnect") {
        guardSocket(this.connection);
        this.#set("connected");
      }
    }
    // The client gave up by itself, for example because its credentials were revoked.
    this.#set("closed");
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
