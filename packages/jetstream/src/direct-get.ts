/**
 * Reading stored messages without a consumer: a few messages on one subject in well under a
 * millisecond.
 *
 * An answer is one message, or a series of messages and an end marker. Each message of a series
 * names the one before it, so an answer with a hole is noticed, and asked for again.
 *
 * For each series the server counts what there is from its start on, which takes it time in
 * proportion to the messages of all subjects in a block of the stream: 150 to 350 µs, also where it
 * finds nothing, against 20 for one message and 7 for none. So series are long, and where nothing
 * is likely one message is asked for first.
 */
import type { Msg } from "@nats-io/nats-core";
import type { TroupeError } from "@troupe/core";
import { LogUnavailableError } from "@troupe/core/errors";
import type { CallOptions, Position } from "@troupe/core/log";

import { headerText, visitHeaders } from "./header-text.ts";
import { retryUnavailable } from "./retry.ts";
import type { Session } from "./session.ts";

export interface StoredMessage {
  readonly message: Msg;
  readonly subject: string;
  readonly position: Position;
  readonly storedAtMs: number;
}

interface ChainedMessage extends StoredMessage {
  /** Position of the message before it in the same answer, 0 for the first. */
  readonly previous: number;
}

export interface RangeRequest {
  readonly stream: string;
  /** Literal, or with wildcards. */
  readonly subject: string;
  readonly after: Position;
}

const batchMax = 1024;
const bytesMax = 1024 * 1024;
/**
 * Bytes that one message counts as until it is here; most are smaller, none is larger than a page.
 */
const singleBytes = 64 * 1024;
const answerTimeoutMs = 2000;
/** Time for which a read is tried again, in milliseconds. */
export const retryTimeoutMs = 10_000;

/**
 * The messages on a subject after a position, in order, as many as come at once; empty at the end.
 */
export function getRange(
  session: Session,
  range: RangeRequest,
  options: CallOptions = {},
): Promise<readonly StoredMessage[]> {
  const body = {
    seq: range.after + 1,
    next_by_subj: range.subject,
    batch: batchMax,
    max_bytes: bytesMax,
  };
  const attempt = (): Promise<readonly StoredMessage[]> => getOnce(session, range.stream, body);
  return retryUnavailable(attempt, { timeoutMs: retryTimeoutMs, signal: options.signal });
}

/** The first message on a subject after a position, or undefined. */
export async function getNext(
  session: Session,
  { after, stream, subject }: RangeRequest,
  options: CallOptions = {},
): Promise<StoredMessage | undefined> {
  const body = { seq: after + 1, next_by_subj: subject };
  const attempt = (): Promise<readonly StoredMessage[]> => getOnce(session, stream, body);
  const { signal } = options;
  const [message] = await retryUnavailable(attempt, { timeoutMs: retryTimeoutMs, signal });
  return message;
}

/** The message at a position, or undefined. */
export async function getAt(
  session: Session,
  stream: string,
  position: Position,
): Promise<StoredMessage | undefined> {
  const attempt = (): Promise<readonly StoredMessage[]> =>
    getOnce(session, stream, { seq: position });
  const [message] = await retryUnavailable(attempt, { timeoutMs: retryTimeoutMs });
  return message;
}

/** The last message on a literal subject, or undefined. */
export async function getLast(
  session: Session,
  stream: string,
  subject: string,
): Promise<StoredMessage | undefined> {
  const attempt = (): Promise<readonly StoredMessage[]> =>
    getOnce(session, stream, { last_by_subj: subject });
  const [message] = await retryUnavailable(attempt, { timeoutMs: retryTimeoutMs });
  return message;
}

interface DirectGet {
  readonly seq?: number;
  readonly next_by_subj?: string;
  readonly last_by_subj?: string;
  readonly batch?: number;
  readonly max_bytes?: number;
}

function getOnce(
  session: Session,
  stream: string,
  body: DirectGet,
): Promise<readonly StoredMessage[]> {
  const isBatch = body.batch !== undefined;
  const found: ChainedMessage[] = [];
  return inWindow(session, isBatch ? bytesMax : singleBytes, (resolve, reject) => {
    const onReply = (message: Msg): boolean => {
      const block = headerText(message);
      if (block.startsWith(noStatus)) {
        found.push(storedMessage(message, block));
        if (!isBatch) resolve(found);
        return isBatch;
      }
      const code = message.headers?.code ?? 0;
      if (code === 404) resolve([]);
      else if (code !== 204) reject(refused(stream, message));
      else if (isComplete(found, message)) resolve(found);
      else
        reject(new LogUnavailableError(`An answer of the stream ${stream} arrived with a hole.`));
      return false;
    };
    session.replyBox.send({
      subject: `$JS.API.DIRECT.GET.${stream}`,
      payload: Buffer.from(JSON.stringify(body)),
      timeoutMs: answerTimeoutMs,
      waiter: { onReply, onFailure: reject },
    });
  });
}

/** An answer that has its room in the connection's window until it is here. */
function inWindow(
  { readWindow }: Session,
  bytes: number,
  begin: (
    resolve: (found: readonly StoredMessage[]) => void,
    reject: (error: TroupeError) => void,
  ) => void,
): Promise<readonly StoredMessage[]> {
  return new Promise((resolve, reject) => {
    readWindow.enter(bytes, () => {
      begin(
        (found) => {
          readWindow.leave(bytes);
          resolve(found);
        },
        (error) => {
          readWindow.leave(bytes);
          reject(error);
        },
      );
    });
  });
}

/** Beginning of the headers of an answer that is a message and no status. */
const noStatus = "NATS/1.0\r\n";

/**
 * The server's answer carries where the message lies in headers; the last of each name is the
 * server's own.
 */
function storedMessage(message: Msg, block: string): ChainedMessage {
  let subject = "";
  let position = 0;
  let previous = 0;
  let storedAt = "";
  visitHeaders(block, (name, value) => {
    if (name === "Nats-Subject") subject = value;
    else if (name === "Nats-Sequence") position = Number(value);
    else if (name === "Nats-Time-Stamp") storedAt = value;
    else if (name === "Nats-Last-Sequence") previous = Number(value);
  });
  const storedAtMs = Date.parse(storedAt);
  return { message, subject, position, storedAtMs, previous };
}

/** Whether every message follows the one it names, and the end marker names the last one. */
function isComplete(found: readonly ChainedMessage[], end: Msg): boolean {
  let last = 0;
  for (const { previous, position } of found) {
    if (previous !== last) return false;
    last = position;
  }
  return Number(end.headers?.last("Nats-Last-Sequence")) === last;
}

function refused(stream: string, message: Msg): LogUnavailableError {
  const { code = 0, description = "" } = message.headers ?? {};
  return new LogUnavailableError(
    `The stream ${stream} did not answer a read: ${code} ${description}.`,
    {
      details: { stream, status: code },
    },
  );
}
