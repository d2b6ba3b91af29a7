/**
 * Inbox for all requests of this process.
 *
 * The client's own `request` allocates an object with timers, promises and a random token per call;
 * here a request is a number, an entry in a map and the object of its waiter. Deadlines are checked
 * by one timer for all.
 *
 * 1. Every waiter hears exactly one ending: its last reply, or one failure.
 * 2. When the connection drops, all waiters fail at once: a reply can no longer arrive.
 */
import type { Msg } from "@nats-io/nats-core";
import type { TroupeError } from "@troupe/core";
import { LogClosedError, LogRefusedError, LogUnavailableError } from "@troupe/core/errors";

import { asHeaders } from "./header-block.ts";
import type { KeptSubscription } from "./kept-subscription.ts";
import { keepSubscribed } from "./kept-subscription.ts";
import type { Denial, Link } from "./link.ts";

export interface ReplyWaiter {
  /** Takes a reply. Returns true when more are expected. */
  onReply(message: Msg): boolean;
  onFailure(error: TroupeError): void;
}

export interface BoxRequest {
  readonly subject: string;
  readonly payload: Uint8Array;
  /** The encoded header block. */
  readonly headers?: Uint8Array | undefined;
  readonly timeoutMs: number;
  readonly waiter: ReplyWaiter;
}

interface Entry {
  readonly waiter: ReplyWaiter;
  readonly subject: string;
  readonly deadline: number;
}

const sweepMs = 100;

export class ReplyBox {
  readonly #link: Link;
  readonly #prefix: string;
  readonly #subscription: KeptSubscription;
  readonly #entries = new Map<number, Entry>();
  #lastId = 0;
  #sweeper: NodeJS.Timeout | undefined;

  constructor(link: Link, inbox: string) {
    this.#link = link;
    this.#prefix = `${inbox}.`;
    this.#subscription = keepSubscribed(link.connection, `${inbox}.*`, (error, message) => {
      if (error === null) this.#deliver(message);
    });
    link.onDenied((denial) => this.#denied(denial));
    link.onStatus((status) => {
      if (status === "disconnected") this.#failAll("the connection to the server was lost");
      if (status === "closed") this.close();
    });
  }

  send(request: BoxRequest): void {
    const { subject, payload, headers, waiter } = request;
    if (!this.#link.isUp) {
      waiter.onFailure(this.#link.downError(`Nothing was sent to ${subject}`));
      return;
    }
    const id = ++this.#lastId;
    this.#entries.set(id, { waiter, subject, deadline: performance.now() + request.timeoutMs });
    this.#sweeper ??= setInterval(() => this.#sweep(), sweepMs);
    try {
      this.#publish(subject, payload, { headers, reply: this.#prefix + id });
    } catch (error) {
      this.#entries.delete(id);
      waiter.onFailure(notSent(subject, error));
    }
  }

  /**
   * Publish without asking for an answer, in order with `send`. Nothing happens while the
   * connection is down.
   */
  sendOnly(subject: string, payload: Uint8Array, headers: Uint8Array): void {
    if (!this.#link.isUp) return;
    try {
      this.#publish(subject, payload, { headers });
    } catch (error) {
      throw notSent(subject, error);
    }
  }

  #publish(
    subject: string,
    payload: Uint8Array,
    options: { readonly headers: Uint8Array | undefined; readonly reply?: string },
  ): void {
    const { headers, reply = "" } = options;
    const { connection } = this.#link;
    if (headers === undefined) connection.publish(subject, payload, { reply });
    else connection.publish(subject, payload, { headers: asHeaders(headers), reply });
  }

  /** Sends a request with one reply. */
  request(subject: string, payload: Uint8Array, timeoutMs: number): Promise<Msg> {
    return new Promise((resolve, reject) => {
      const onReply = (message: Msg): boolean => {
        resolve(message);
        return false;
      };
      this.send({ subject, payload, timeoutMs, waiter: { onReply, onFailure: reject } });
    });
  }

  /** Tells all waiters that the log is closed. */
  close(): void {
    this.#subscription.unsubscribe();
    const entries = this.#takeAll();
    for (const entry of entries) entry.waiter.onFailure(new LogClosedError("The log was closed."));
  }

  #deliver(message: Msg): void {
    const id = Number(message.subject.slice(this.#prefix.length));
    const entry = this.#entries.get(id);
    if (entry === undefined) return;
    if (message.data.length === 0 && message.headers?.code === 503) {
      this.#entries.delete(id);
      const text = `Nobody answers on ${entry.subject}: no stream leader, or JetStream is not ready.`;
      entry.waiter.onFailure(
        new LogUnavailableError(text, { details: { subject: entry.subject } }),
      );
      return;
    }
    if (!entry.waiter.onReply(message)) this.#entries.delete(id);
  }

  /** Ends the wait of a caller that may not publish there, or could not hear the answer. */
  #denied({ error, operation, subject }: Denial): void {
    const isDeaf = operation === "subscription" && subject === `${this.#prefix}*`;
    if (operation === "subscription" && !isDeaf) return;
    for (const [id, entry] of this.#entries) {
      if (!isDeaf && entry.subject !== subject) continue;
      this.#entries.delete(id);
      entry.waiter.onFailure(error);
    }
  }

  #sweep(): void {
    const now = performance.now();
    for (const [id, entry] of this.#entries) {
      if (entry.deadline > now) continue;
      this.#entries.delete(id);
      entry.waiter.onFailure(
        new LogUnavailableError(
          `No answer from ${entry.subject} in time; the outcome is unknown.`,
          {
            details: { subject: entry.subject },
          },
        ),
      );
    }
    if (this.#entries.size === 0) this.#stopSweeping();
  }

  #failAll(why: string): void {
    for (const entry of this.#takeAll()) {
      entry.waiter.onFailure(
        new LogUnavailableError(
          `No answer from ${entry.subject}: ${why}; the outcome is unknown.`,
          {
            details: { subject: entry.subject },
          },
        ),
      );
    }
  }

  #takeAll(): readonly Entry[] {
    const entries = [...this.#entries.values()];
    this.#entries.clear();
    this.#stopSweeping();
    return entries;
  }

  #stopSweeping(): void {
    clearInterval(this.#sweeper);
    this.#sweeper = undefined;
  }
}

/** The client itself refuses what can never be sent, such as a subject with a blank in it. */
function notSent(subject: string, cause: unknown): LogRefusedError {
  const text = `Nothing can be sent to ${JSON.stringify(subject)}: ${String(cause)}.`;
  return new LogRefusedError(text, { cause, details: { subject } });
}
