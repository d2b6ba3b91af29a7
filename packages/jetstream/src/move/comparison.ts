/**
 * Compares the copy of a log with the log, message by message: position, time, headers and payload.
 *
 * It can go on from where it stopped, so most of it is done while the log is still in use. A
 * message that is in the copy alone was removed from the log since (a dead letter that was
 * redriven, one that retention took); one that is in the log alone is a mismatch. Any replica may
 * answer a read, so both are decided by the streams' leaders.
 */
import { createHash } from "node:crypto";

import type { Position } from "@troupe/core/log";

import { getRange, type StoredMessage } from "../direct-get.ts";
import { MoveMismatchError } from "../errors.ts";
import { headerText, visitHeaders } from "../header-text.ts";
import type { Session } from "../session.ts";
import { partitionOfSubject, type Subjects } from "../subjects.ts";
import { leaderMessage } from "./stream-admin.ts";

export interface CompareHost {
  readonly session: Session;
  readonly from: Subjects;
  /** Of each shard of the copy. */
  readonly to: readonly Subjects[];
  readonly signal?: AbortSignal | undefined;
}

export class Comparison {
  readonly #host: CompareHost;
  readonly #digest = createHash("sha256");
  /** Messages that are in the copy and that the log does not have any more. */
  readonly removed: { readonly shard: number; readonly position: Position }[] = [];
  /** Up to where they are the same. */
  comparedTo: Position = 0;
  /** Messages that are in both. */
  messages = 0;
  /** Number of them in each shard. */
  readonly messagesIn: number[];

  constructor(host: CompareHost) {
    this.#host = host;
    this.messagesIn = host.to.map(() => 0);
  }

  /**
   * Of position, time, subject behind the partition, headers and payload of every message, 32
   * characters: the same for the same log in any namespace.
   */
  get digest(): string {
    return this.#digest.copy().digest("base64url").slice(0, 32);
  }

  /**
   * Compares up to a position of the log, or to the first message that is not copied yet. `copied`
   * says for each shard the last position that its copy has. @throws MoveMismatchError,
   * LogUnavailableError
   */
  async upTo(
    until: Position,
    copied: readonly Position[],
    onCompared?: (position: Position) => void,
  ): Promise<void> {
    const { from, to } = this.#host;
    const stays = staysBehind(from);
    const after = this.comparedTo;
    const copies = to.map((subjects, shard) => {
      const end = Math.min(until, copied[shard] ?? 0);
      const subject = `${subjects.namespace}.>`;
      return new CopyWalk(shard, end, this.#walk(subjects.stream, subject, { after, until: end }));
    });
    for await (const original of this.#walk(from.stream, `${from.namespace}.>`, { after, until })) {
      const { position, subject } = original;
      const copy = copies[partitionOfSubject(from, subject) % to.length];
      if (copy !== undefined && !stays(subject)) {
        await this.#skipTo(copy, position);
        if (copy.head?.position === position) this.#requireSame(original, copy.head, copy.shard);
        else if (position > copy.end) return;
        else await this.#requireGone(from.stream, position);
      }
      this.comparedTo = position;
      if (this.messages % reportEvery === 0) onCompared?.(position);
    }
    for (const copy of copies) await this.#skipTo(copy, Infinity);
    this.comparedTo = Math.max(this.comparedTo, until);
  }

  /**
   * Skips messages of the copy before this position that were not compared: they are not in the
   * log.
   */
  async #skipTo(copy: CopyWalk, position: Position): Promise<void> {
    for (;;) {
      const head = await copy.next();
      if (head === undefined || head.position >= position) return;
      if (head.position > this.comparedTo) await this.#gone(copy.shard, head.position);
      copy.head = undefined;
    }
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

  #requireSame(original: StoredMessage, copy: StoredMessage, shard: number): void {
    const lines = ownLines(copy);
    const { to } = this.#host;
    const subjects = to[shard];
    const isSame =
      subjects !== undefined &&
      partitionOfSubject(subjects, copy.subject) % to.length === shard &&
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
    this.messagesIn[shard] = (this.messagesIn[shard] ?? 0) + 1;
    const kind = copy.subject.indexOf(".", subjects.namespace.length + 1);
    this.#digest.update(`${copy.position} ${copy.storedAtMs} ${copy.subject.slice(kind)}\n`);
    this.#digest.update(`${lines}\n`);
    this.#digest.update(copy.message.data);
  }

  /** In the log but not in the copy: only one that was removed in this moment may be missing. */
  async #requireGone(stream: string, position: Position): Promise<void> {
    const { session, to } = this.#host;
    for (const { stream: copy } of to)
      if ((await leaderMessage(session, copy, { seq: position })) !== undefined) return;
    const original = await leaderMessage(session, stream, { seq: position });
    if (original === undefined) return;
    throw new MoveMismatchError(
      `The copy lacks position ${position} (${original.subject}), which the log has.`,
      { details: { position, subject: original.subject } },
    );
  }

  /** In the copy but not in the log. */
  async #gone(shard: number, position: Position): Promise<void> {
    const { from, session } = this.#host;
    if ((await leaderMessage(session, from.stream, { seq: position })) === undefined)
      this.removed.push({ shard, position });
  }
}

/** The messages of one copy, one at a time. */
class CopyWalk {
  readonly shard: number;
  /** Up to where it goes. */
  readonly end: Position;
  /** The one that was not dealt with yet. */
  head: StoredMessage | undefined;
  readonly #messages: AsyncIterator<StoredMessage>;

  constructor(shard: number, end: Position, messages: AsyncIterator<StoredMessage>) {
    this.shard = shard;
    this.end = end;
    this.#messages = messages;
  }

  async next(): Promise<StoredMessage | undefined> {
    if (this.head === undefined) {
      const { done, value } = await this.#messages.next();
      this.head = done === true ? undefined : value;
    }
    return this.head;
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

/** Headers of an answer that the server adds to those of the message. */
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
