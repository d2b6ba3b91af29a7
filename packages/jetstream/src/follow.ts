/** Everything on the log in order, for people and tools: inputs, turns and dead letters, decoded. */
import type { Msg } from "@nats-io/nats-core";
import type { FollowRequest, LogEntry } from "@troupe/core";
import { LogUnavailableError, tokenToKey, LogClosedError } from "@troupe/core";

import { deadLetterOf } from "./dead-letter-record.ts";
import { PullReader } from "./pull-reader.ts";
import { retryUnavailable } from "./retry.ts";
import type { Session } from "./session.ts";
import { isInputSubject } from "./input-subject.ts";
import { storedInput } from "./stored-input.ts";
import type { Subjects } from "./subjects.ts";

const bufferedMax = 256;

export async function* follow(session: Session, request: FollowRequest): AsyncGenerator<LogEntry> {
  const { subjects, link } = session;
  const filters = followFilters(subjects, request);
  if (filters.length === 0 || request.signal?.aborted === true) return;
  const last = await lastPosition(session);
  const from = request.from === "new" ? last + 1 : Math.max(1, request.from);
  if (request.untilNow === true && from > last) return;
  const buffer = new FollowBuffer(request.untilNow === true ? last : undefined);
  const reader = new PullReader(session, {
    stream: subjects.stream,
    filters,
    after: from - 1,
    credit: bufferedMax,
    name: `follow-${session.id}-${++follows}`,
    onStart: (pending) => buffer.onPending(pending),
    onMessage: (message, delivery) => {
      const entry = logEntry(subjects, message, delivery);
      buffer.push(entry, delivery);
    },
  });
  const onAbort = (): void => buffer.end();
  const endStatus = link.onStatus((status) => {
    if (status === "closed") buffer.end(new LogClosedError("The log was closed."));
  });
  request.signal?.addEventListener("abort", onAbort, { once: true });
  try {
    for (;;) {
      const next = await buffer.next();
      if (next === undefined) return;
      reader.grant(1);
      if (next.entry !== undefined) yield next.entry;
    }
  } finally {
    request.signal?.removeEventListener("abort", onAbort);
    endStatus();
    await reader.stop();
  }
}

let follows = 0;

/** What matches the request, as few subjects as possible; empty when nothing can match. */
export function followFilters(subjects: Subjects, request: FollowRequest): readonly string[] {
  const { topics, types } = request;
  const { namespace, inputPrefix, journalPrefix, deadPrefix } = subjects;
  if (topics === undefined && types === undefined) return [`${namespace}.>`];
  return [
    ...(topics?.map((topic) => `${inputPrefix}*.topic.${topic}.>`) ?? [`${inputPrefix}*.topic.>`]),
    ...(types?.map((type) => `${inputPrefix}*.agent.${type}.>`) ?? [`${inputPrefix}*.agent.>`]),
    ...(types?.map((type) => `${journalPrefix}${type}.>`) ?? [`${journalPrefix}>`]),
    ...(types?.map((type) => `${deadPrefix}${type}.>`) ?? [`${deadPrefix}>`]),
  ];
}

/** Sequence of the stream's last message. */
async function lastPosition(session: Session): Promise<number> {
  return retryUnavailable(
    async () => {
      try {
        return (await session.manager.streams.info(session.subjects.stream)).state.last_seq;
      } catch (cause) {
        const text = `The stream ${session.subjects.stream} does not answer.`;
        throw new LogUnavailableError(text, { cause });
      }
    },
    { timeoutMs: session.acceptTimeoutMs },
  );
}

interface At {
  readonly position: number;
  readonly storedAtMs: number;
  readonly pending: number;
}

/** The stored message as people know it; undefined for what is none of the three kinds. */
function logEntry(subjects: Subjects, message: Msg, at: At): LogEntry | undefined {
  const { subject } = message;
  if (isInputSubject(subjects, subject)) {
    return { kind: "input", input: storedInput(subjects, subject, message, at) };
  }
  if (subject.startsWith(subjects.deadPrefix)) {
    const deadLetter = deadLetterOf(message.headers, message.data);
    if (deadLetter === undefined) return undefined;
    return { kind: "dead-letter", position: at.position, deadLetter };
  }
  if (!subject.startsWith(subjects.journalPrefix)) return undefined;
  const dot = subject.indexOf(".", subjects.journalPrefix.length);
  const type = subject.slice(subjects.journalPrefix.length, dot);
  const agent = { type, key: tokenToKey(subject.slice(dot + 1)) };
  const entry = { revision: at.position, record: message.data, committedAtMs: at.storedAtMs };
  return { kind: "turn", agent, entry };
}

interface Followed {
  readonly entry: LogEntry | undefined;
}

/** Between the reader and the loop that consumes; holds at most the reader's credit. */
class FollowBuffer {
  readonly #until: number | undefined;
  readonly #items: Followed[] = [];
  #ended = false;
  #error: Error | undefined;
  #wake: (() => void) | undefined;

  constructor(until: number | undefined) {
    this.#until = until;
  }

  push(entry: LogEntry | undefined, at: At): void {
    if (this.#ended) return;
    if (this.#until !== undefined && at.position > this.#until) {
      this.end();
      return;
    }
    this.#items.push({ entry });
    if (at.position === this.#until) this.end();
    else this.onPending(at.pending);
    this.#wake?.();
  }

  /** Nothing more matches: with an end position, that is the end. */
  onPending(pending: number): void {
    if (pending === 0 && this.#until !== undefined) this.end();
  }

  end(error?: Error): void {
    this.#ended = true;
    this.#error ??= error;
    this.#wake?.();
  }

  /** The next one, or undefined at the end. */
  async next(): Promise<Followed | undefined> {
    for (;;) {
      const item = this.#items.shift();
      if (item !== undefined) return item;
      if (this.#error !== undefined) throw this.#error;
      if (this.#ended) return undefined;
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
      this.#wake = undefined;
    }
  }
}
