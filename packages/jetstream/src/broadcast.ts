/**
 * Messages that are sent and not stored: replies, cancelled asks and presence. All may be lost
 * (LOG-5).
 */
import { NoRespondersError } from "@nats-io/nats-core";
import { LogRefusedError } from "@troupe/core/errors";
import { keyToToken } from "@troupe/core/log";
import type { Presence } from "@troupe/core/log";

import type { KeptSubscription } from "./kept-subscription.ts";
import { keepSubscribed } from "./kept-subscription.ts";
import { addressLengthMax, isReplyAddress } from "./reply-address.ts";
import type { Session } from "./session.ts";

const probeTimeoutMs = 400;
const shownLengthMax = 100;

type PresenceListener = (presence: Presence) => void;
type CancelListener = (replyTo: string) => void;
type ReplyListener = (replyTo: string, payload: Uint8Array) => void;

export class Broadcast {
  readonly #session: Session;
  readonly #replyPrefix: string;
  readonly #presenceListeners = new Set<PresenceListener>();
  readonly #cancelListeners = new Set<CancelListener>();
  readonly #replyListeners = new Set<ReplyListener>();
  /** Workers of this process that others may ask after. */
  readonly #answering = new Map<string, KeptSubscription>();
  #hearsPresence = false;
  #hearsCancels = false;
  #lastReply = 0;

  constructor(session: Session) {
    this.#session = session;
    this.#replyPrefix = `${session.inbox}.reply.`;
    keepSubscribed(session.link.connection, `${this.#replyPrefix}*`, (error, message) => {
      if (error === null) this.#heardReply(message.subject, message.data);
    });
  }

  announce(presence: Presence): void {
    this.#answerFor(presence);
    this.#publish(this.#session.subjects.presence, Buffer.from(JSON.stringify(presence)));
  }

  onPresence(listener: PresenceListener): () => void {
    this.#hearPresence();
    this.#presenceListeners.add(listener);
    return () => {
      this.#presenceListeners.delete(listener);
    };
  }

  /** The server itself knows when nobody is left who would answer. */
  async probe(worker: string): Promise<boolean> {
    const { connection } = this.#session.link;
    try {
      await connection.request(this.#probeSubject(worker), "", { timeout: probeTimeoutMs });
      return true;
    } catch (error) {
      return !isNoResponders(error);
    }
  }

  replyAddress(): string {
    return this.#replyPrefix + (++this.#lastReply).toString(36);
  }

  /** To this process itself without a detour: agents of one worker often ask one another. */
  reply(replyTo: string, payload: Uint8Array): void {
    if (!replyTo.startsWith(this.#replyPrefix)) return this.#replyElsewhere(replyTo, payload);
    queueMicrotask(() => this.#heardReply(replyTo, payload));
  }

  /** An address that is no inbox would be written to with our rights (I14). */
  #replyElsewhere(replyTo: string, payload: Uint8Array): void {
    const { faults, subjects } = this.#session;
    if (isReplyAddress(replyTo, subjects)) return this.#publish(replyTo, payload);
    const shown = JSON.stringify(replyTo.slice(0, shownLengthMax));
    const text = `No reply was sent to ${shown}: it is no inbox. Its asker looks for the reply in the journal.`;
    faults.tell("sending a reply", new LogRefusedError(text));
  }

  onReply(listener: ReplyListener): () => void {
    this.#replyListeners.add(listener);
    return () => {
      this.#replyListeners.delete(listener);
    };
  }

  #heardReply(replyTo: string, payload: Uint8Array): void {
    for (const listener of this.#replyListeners) listener(replyTo, payload);
  }

  cancelAsk(replyTo: string): void {
    this.#publish(this.#session.subjects.cancelledAsks, Buffer.from(replyTo));
  }

  onAskCancelled(listener: CancelListener): () => void {
    this.#hearCancels();
    this.#cancelListeners.add(listener);
    return () => {
      this.#cancelListeners.delete(listener);
    };
  }

  #answerFor({ worker, leaving }: Presence): void {
    const answering = this.#answering.get(worker);
    if (leaving) {
      answering?.unsubscribe();
      this.#answering.delete(worker);
    } else if (answering === undefined) {
      const { connection } = this.#session.link;
      const kept = keepSubscribed(connection, this.#probeSubject(worker), (error, message) => {
        if (error === null) message.respond();
      });
      this.#answering.set(worker, kept);
    }
  }

  #probeSubject(worker: string): string {
    return `${this.#session.subjects.presence}.${keyToToken(worker)}`;
  }

  #hearPresence(): void {
    if (this.#hearsPresence) return;
    this.#hearsPresence = true;
    const { link, subjects } = this.#session;
    keepSubscribed(link.connection, subjects.presence, (error, message) => {
      const presence = error === null ? parsePresence(message.data) : undefined;
      if (presence === undefined) return;
      for (const listener of this.#presenceListeners) listener(presence);
    });
  }

  #hearCancels(): void {
    if (this.#hearsCancels) return;
    this.#hearsCancels = true;
    const { link, subjects } = this.#session;
    keepSubscribed(link.connection, subjects.cancelledAsks, (error, message) => {
      if (error !== null || message.data.length > addressLengthMax) return;
      const replyTo = Buffer.from(message.data).toString();
      for (const listener of this.#cancelListeners) listener(replyTo);
    });
  }

  #publish(subject: string, payload: Uint8Array): void {
    if (!this.#session.link.isUp) return;
    try {
      this.#session.link.connection.publish(subject, payload);
    } catch {
      // A reply address that is no subject, or a payload that is too large: nobody can be told but
      // the asker, who runs into the deadline.
    }
  }
}

function isNoResponders(error: unknown): boolean {
  if (error instanceof NoRespondersError) return true;
  return error instanceof Error && error.cause instanceof NoRespondersError;
}

/** Anybody can publish on the subject, so a message that is no presence is ignored. */
function parsePresence(data: Uint8Array): Presence | undefined {
  try {
    const value = JSON.parse(Buffer.from(data).toString()) as Partial<Presence> | null;
    const { worker, leaving, draining, joining, lacks, session, holds } = value ?? {};
    if (typeof worker !== "string" || !isHolds(holds)) return undefined;
    const lacking = Array.isArray(lacks) && lacks.length > 0 ? { lacks } : {};
    const start = typeof session === "string" ? { session } : {};
    const stage = {
      ...(draining === true ? { draining } : {}),
      ...(joining === true ? { joining } : {}),
    };
    return { worker, ...start, leaving: leaving === true, ...stage, ...lacking, holds };
  } catch {
    return undefined;
  }
}

function isHolds(holds: unknown): holds is Presence["holds"] {
  if (typeof holds !== "object" || holds === null) return false;
  return Object.values(holds).every(
    (partitions) => Array.isArray(partitions) && partitions.every(Number.isSafeInteger),
  );
}
