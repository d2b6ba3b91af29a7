/**
 * All entries of the log in order, for people and tools.
 *
 * `untilNow` ends at the position that is last when following starts, also when nothing there
 * matches. A consumer says how many matching messages are left, but it may be off while others
 * publish; so when it says none, the stream is asked whether there is one before the end.
 */
import type { Msg } from "@nats-io/nats-core";
import { LogClosedError } from "@troupe/core/errors";
import { inputBytes, type FollowRequest, type LogEntry, type Position } from "@troupe/core/log";

import type { AckSubject } from "./ack-subject.ts";
import { FollowBuffer } from "./follow-buffer.ts";
import { FollowScope } from "./follow-scope.ts";
import { payloadLength } from "./header-text.ts";
import { logEntry } from "./log-entry.ts";
import { PullReader } from "./pull-reader.ts";
import type { Session } from "./session.ts";
import { lastPosition, nextPosition } from "./stream-position.ts";
import type { InternalKind, Subjects } from "./subjects.ts";

/** Number of entries that are read ahead of the follower. */
const bufferedMax = 1024;
const bufferedBytesMax = 4 * 1024 * 1024;

/** A message that the reader brought. */
interface Followed {
  readonly entry: LogEntry | undefined;
  readonly position: Position;
  /**
   * Messages after it, as far as the consumer knows: matching ones near the end, others as well far
   * behind it.
   */
  readonly pending: number;
  /** The credit it used; 0 for the first item of a consumer, which only tells what is pending. */
  readonly bytes: number;
}

/**
 * Yields the matching entries; ends at `untilNow`, when the signal fires, or with LogClosedError,
 * LogRefusedError, LogWentBackError or LogMadeAnewError.
 */
export async function* follow(session: Session, request: FollowRequest): AsyncGenerator<LogEntry> {
  const filters = followFilters(session.subjects, request);
  if (filters.length === 0 || request.signal?.aborted === true) return;
  const last = await lastPosition(session);
  const after = request.from === "new" ? last : Math.max(0, request.from - 1);
  const until = request.untilNow === true ? last : Number.POSITIVE_INFINITY;
  if (after >= until) return;
  const following = open(session, { filters, after }, request.signal);
  try {
    for (;;) {
      const next = await following.buffer.next();
      if (next === undefined || next.position > until) return;
      if (next.bytes > 0) following.reader.grant(1, next.bytes);
      request.onPending?.(next.pending);
      if (next.entry !== undefined) yield next.entry;
      if (await isLast(session, filters, next, until)) return;
    }
  } finally {
    await following.close();
  }
}

/** Subjects that match the request, as few as possible; empty when nothing can match. */
export function followFilters(subjects: Subjects, request: FollowRequest): readonly string[] {
  const { topics, types, kinds } = request;
  if (topics === undefined && types === undefined && kinds === undefined)
    return [`${subjects.namespace}.>`];
  const below = (names: readonly string[] | undefined, kind: InternalKind, prefix = ""): string[] =>
    (names?.map((name) => `${name}.>`) ?? [">"]).map((rest) =>
      subjects.everywhere(kind, prefix + rest),
    );
  const inputs = [...below(topics, "in", "topic."), ...below(types, "in", "agent.")];
  const turns = below(types, "journal");
  const deadLetters = below(types, "dead");
  const wanted = (kind: LogEntry["kind"], filters: readonly string[]): readonly string[] =>
    kinds === undefined || kinds.includes(kind) ? filters : [];
  return [
    ...wanted("input", inputs),
    ...wanted("turn", turns),
    ...wanted("dead-letter", deadLetters),
  ];
}

interface Range {
  readonly filters: readonly string[];
  readonly after: Position;
}

interface Following {
  readonly buffer: FollowBuffer<Followed>;
  readonly reader: PullReader;
  close(): Promise<void>;
}

let followers = 0;

/** Starts reading into a buffer that ends with the signal or the log. */
function open(session: Session, range: Range, signal: AbortSignal | undefined): Following {
  const buffer = new FollowBuffer<Followed>();
  const reader = openReader(session, range, buffer);
  const onAbort = (): void => buffer.end();
  signal?.addEventListener("abort", onAbort, { once: true });
  const endStatus = session.link.onStatus((status) => {
    if (status === "closed") buffer.end(new LogClosedError("The log was closed."));
  });
  const close = async (): Promise<void> => {
    signal?.removeEventListener("abort", onAbort);
    endStatus();
    await reader.stop();
  };
  return { buffer, reader, close };
}

function openReader(session: Session, range: Range, buffer: FollowBuffer<Followed>): PullReader {
  const { subjects } = session;
  const scope = new FollowScope(subjects.namespace, range.filters);
  const onStart = (pending: number, position: Position): void =>
    buffer.push({ entry: undefined, position, pending, bytes: 0 });
  const onMessage = (message: Msg, delivery: AckSubject): void => {
    const { position, pending } = delivery;
    const isWanted = scope.matches(message.subject);
    const entry = isWanted ? logEntry(subjects, message, delivery) : undefined;
    buffer.push({ entry, position, pending, bytes: inputBytes(payloadLength(message)) });
    if (scope.left(pending)) reader.renew();
  };
  const reader = new PullReader(session, {
    stream: subjects.stream,
    filters: () => scope.filters,
    after: range.after,
    credit: bufferedMax,
    creditBytes: bufferedBytesMax,
    bytesOf: (message) => inputBytes(payloadLength(message)),
    name: `follow-${session.id}-${++followers}`,
    onStart,
    onMessage,
    onRefused: (error) => buffer.end(error),
    onLost: (error) => buffer.end(error),
  });
  return reader;
}

/** Whether nothing matches between what was just followed and the end. */
async function isLast(
  session: Session,
  filters: readonly string[],
  followed: Followed,
  until: Position,
): Promise<boolean> {
  if (followed.position >= until) return true;
  if (until === Number.POSITIVE_INFINITY || followed.pending > 0) return false;
  for (const filter of filters) {
    const next = await nextPosition(session, filter, followed.position);
    if (next !== undefined && next <= until) return false;
  }
  return true;
}
