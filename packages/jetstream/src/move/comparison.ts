/**
 * Compares the copy of a log with the log, message by message: position, time, headers and payload.
 *
 * It can go on from where it stopped, so most of it is done while the log is still in use. What is
 * in the copy alone was removed from the log since (a dead letter that was redriven, what retention
 * took); what is in the log alone is a mismatch. Any replica may answer a read, so both are decided
 * by the streams' leaders.
 */
import { createHash } from "node:crypto";

import type { Position } from "@troupe/core";

import { getRange, type StoredMessage } from "../direct-get.ts";
import { MoveMismatchError } from "../errors.ts";
import { headerText, visitHeaders } from "../header-text.ts";
import type { Session } from "../session.ts";
import type { Subjects } from "../subjects.ts";
import { leaderMessage } from "./stream-admin.ts";

export interface CompareHost {
  readonly session: Session;
  readonly from: Subjects;
  readonly to: Subjects;
  readonly signal?: AbortSignal | undefined;
}

export class Comparison {
  readonly #host: CompareHost;
  readonly #digest = createHash("sha256");
  /** Positions in the copy that the log does not have any more. */
  readonly removed: Position[] = [];
  /** Up to where they are the same. */
  comparedTo: Position = 0;
  /** Messages that are in both. */
  messages = 0;

  constructor(host: CompareHost) {
    this.#host = host;
  }

  /**
   * Of position, time, subject behind the partition, headers and payload of every message, 32
   * characters: the same for the same log in any namespace.
   */
  get digest(): string {
    return this.#digest.copy().digest("base64url").slice(0, 32);
  }

  /** Compares up to a position of the copy. @throws MoveMismatchError, LogUnavailableError */
  async upTo(until: Position, onCompared?: (position: Position) => void): Promise<void> {
    const { from, to } = this.#host;
    const stays = staysBehind(from);
    const after = this.comparedTo;
    const log = this.#walk(from.stream, `${from.namespace}.>`, { after, until });
    const copy = this.#walk(to.stream, `${to.namespace}.>`, { after, until });
    const next = async (): Promise<StoredMessage | undefined> => {
      for (;;) {
        const { value } = await log.next();
        if (value === undefined || !stays(value.subject)) return value;
      }
    };
    let original = await next();
    for await (const stored of copy) {
      while (original !== undefined && original.position < stored.position) {
        await this.#requireGone(from.stream, original.position);
        original = await next();
      }
      if (original?.position === stored.position) {
        this.#requireSame(original, stored);
        original = await next();
      } else await this.#gone(stored.position);
      this.comparedTo = stored.position;
      if (this.messages % reportEvery === 0) onCompared?.(stored.position);
    }
    for (; original !== undefined; original = await next())
      await this.#requireGone(from.stream, original.position);
    this.comparedTo = Math.max(after, until);
  }

  async *#walk(
    stream: string,
    subject: string,
    { after, until }: { readonly after: Position; readonly until: Position },
  ): AsyncGenerator<StoredMessage, undefined> {
    const { session, signal } = this.#host;
    for (let last = after; last < until;) {
      signal?.throwIfAborted();
      const page = await getRange(session, { stream, subject, after: last }, { signal });
      if (page.length === 0 && !(await this.#hasMore(stream, subject, { after: last, until })))
        return undefined;
      for (const stored of page) if (stored.position <= until) yield stored;
      last = page.at(-1)?.position ?? last;
    }
    return undefined;
  }

  /** A replica may have answered that does not have what the leader has. */
  async #hasMore(
    stream: string,
    next_by_subj: string,
    { after, until }: { readonly after: Position; readonly until: Position },
  ): Promise<boolean> {
    const next = await leaderMessage(this.#host.session, stream, { seq: after + 1, next_by_subj });
    return next !== undefined && next.seq <= until;
  }

  #requireSame(original: StoredMessage, copy: StoredMessage): void {
    const lines = ownLines(copy);
    const isSame =
      original.storedAtMs === copy.storedAtMs &&
      ownLines(original) === lines &&
      Buffer.compare(original.message.data, copy.message.data) === 0;
    if (!isSame) {
      throw new MoveMismatchError(
        `The copy differs at position ${copy.position}: ${original.subject} is not ${copy.subject}.`,
        { details: { position: copy.position, subject: original.subject } },
      );
    }
    this.messages += 1;
    const kind = copy.subject.indexOf(".", this.#host.to.namespace.length + 1);
    this.#digest.update(`${copy.position} ${copy.storedAtMs} ${copy.subject.slice(kind)}\n`);
    this.#digest.update(`${lines}\n`);
    this.#digest.update(copy.message.data);
  }

  /** In the log but not in the copy: only one that was removed in this moment may be missing. */
  async #requireGone(stream: string, position: Position): Promise<void> {
    const { session, to } = this.#host;
    if ((await leaderMessage(session, to.stream, { seq: position })) !== undefined) return;
    const original = await leaderMessage(session, stream, { seq: position });
    if (original === undefined) return;
    throw new MoveMismatchError(
      `The copy lacks position ${position} (${original.subject}), which the log has.`,
      { details: { position, subject: original.subject } },
    );
  }

  /** In the copy but not in the log. */
  async #gone(position: Position): Promise<void> {
    const { from, session } = this.#host;
    if ((await leaderMessage(session, from.stream, { seq: position })) === undefined)
      this.removed.push(position);
  }
}

const reportEvery = 10_000;

/** Whether a subject of the log is one that is not copied. */
function staysBehind({ namespace, moved, taken }: Subjects): (subject: string) => boolean {
  const kinds = [".timer.", ".cancelled."];
  return (subject) => {
    if (subject === moved || subject === taken) return true;
    const kind = subject.indexOf(".", namespace.length + 1);
    return kinds.some((each) => subject.startsWith(each, kind));
  };
}

/** What the server says about a message in its answer, beside what the message says. */
const ofServer = new Set([
  "Nats-Stream",
  "Nats-Subject",
  "Nats-Sequence",
  "Nats-Time-Stamp",
  "Nats-Num-Pending",
  "Nats-Last-Sequence",
]);

export function isOfServer(headerName: string): boolean {
  return ofServer.has(headerName);
}

/** Was meant for the server when the message was stored, and a mirror leaves it out. */
const ofStoring = /^Nats-(Expected|Batch)-/;

/** The message's own header lines. */
function ownLines({ message }: StoredMessage): string {
  let lines = "";
  visitHeaders(headerText(message), (name, value) => {
    if (!isOfServer(name) && !ofStoring.test(name)) lines += `${name}: ${value}\n`;
  });
  return lines;
}
