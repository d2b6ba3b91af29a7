/**
 * Storing inputs (I1). The message id makes it safe to try again: within the stream's duplicate
 * window the same id is stored once.
 *
 * This runs for every message that a client sends, so one object does it, with one promise.
 */
import { randomUUID } from "node:crypto";

import type { Msg } from "@nats-io/nats-core";
import { LogUnavailableError } from "@troupe/core/errors";
import type { Accepted, AcceptOptions, InputDraft } from "@troupe/core/log";

import { inputMessage, type DraftMessage } from "./draft-message.ts";
import { headerBlock, headerLine } from "./header-block.ts";
import { acceptError } from "./publish-error.ts";
import type { ReplyWaiter } from "./reply-box.ts";
import { pauseMsAfter } from "./retry.ts";
import type { Session } from "./session.ts";

export function accept(
  session: Session,
  draft: InputDraft,
  { fence, signal }: AcceptOptions = {},
): Promise<Accepted> {
  return new Promise((resolve, reject) => {
    const message = acceptedMessage(session, draft, fence);
    if (signal?.aborted === true) return reject(gaveUp(message, signal));
    const acceptance = new Acceptance(session, message, resolve, reject);
    if (signal !== undefined) acceptance.endWith(signal);
    try {
      session.acceptWindow.enter(`The message for ${message.subject}`, () => acceptance.begin());
    } catch (thrown) {
      acceptance.fail(thrown);
    }
  });
}

/** A message for the stream that has an id in any case. */
function acceptedMessage(
  session: Session,
  draft: InputDraft,
  fence: AcceptOptions["fence"],
): DraftMessage {
  const { subjects, limits } = session;
  const identified =
    draft.metadata.id === undefined
      ? { ...draft, metadata: { ...draft.metadata, id: randomUUID() } }
      : draft;
  const message = inputMessage(identified, {
    subjects,
    payloadBytesMax: limits.payloadBytesMax,
    idHeader: "Nats-Msg-Id",
  });
  if (fence === undefined) return message;
  const expected =
    headerLine("Nats-Expected-Last-Subject-Sequence", fence.revision) +
    headerLine("Nats-Expected-Last-Subject-Sequence-Subject", subjects.journal(fence.agent));
  return { ...message, lines: message.lines + expected };
}

/** A message until it is stored, refused or given up. */
class Acceptance implements ReplyWaiter {
  readonly #session: Session;
  readonly #message: DraftMessage;
  readonly #resolve: (accepted: Accepted) => void;
  readonly #reject: (error: unknown) => void;
  #deadline = 0;
  #attempts = 0;
  #signal: AbortSignal | undefined;
  /** Ends the pause before the next attempt. */
  #endPause: (() => void) | undefined;
  #onAbort: (() => void) | undefined;

  constructor(
    session: Session,
    message: DraftMessage,
    resolve: (accepted: Accepted) => void,
    reject: (error: unknown) => void,
  ) {
    this.#session = session;
    this.#message = message;
    this.#resolve = resolve;
    this.#reject = reject;
  }

  /** Tells a waiting caller at once; a message on its way keeps its place until that is over. */
  endWith(signal: AbortSignal): void {
    this.#signal = signal;
    this.#onAbort = () => {
      this.#reject(gaveUp(this.#message, signal));
      this.#endPause?.();
    };
    signal.addEventListener("abort", this.#onAbort, { once: true });
  }

  begin(): void {
    // A caller that gave up while it waited in line was told so.
    if (this.#signal?.aborted === true) return this.#session.acceptWindow.leave();
    this.#deadline = performance.now() + this.#session.acceptTimeoutMs;
    this.#send();
  }

  fail(error: unknown): void {
    this.#forgetSignal();
    this.#reject(error);
  }

  onReply(reply: Msg): boolean {
    const { duplicate, error, seq } = this.#session.readPubAck(reply.data);
    if (error === undefined) {
      this.#session.acceptWindow.leave();
      this.#forgetSignal();
      this.#resolve({ position: seq, duplicate });
    } else {
      this.onFailure(acceptError(error, `The message for ${this.#message.subject}`));
    }
    return false;
  }

  onFailure(error: unknown): void {
    const pauseMs = pauseMsAfter(this.#attempts);
    const isFinal =
      !(error instanceof LogUnavailableError) ||
      this.#signal?.aborted === true ||
      performance.now() + pauseMs > this.#deadline;
    if (isFinal) {
      this.#session.acceptWindow.leave();
      this.fail(error);
      return;
    }
    const again = (): void => {
      clearTimeout(timer);
      this.#endPause = undefined;
      this.#send();
    };
    const timer = setTimeout(again, pauseMs * (0.5 + Math.random()));
    // The next attempt tells what happened.
    this.#endPause = again;
  }

  #send(): void {
    this.#attempts += 1;
    const { lines, payload, subject } = this.#message;
    this.#session.replyBox.send({
      subject,
      payload,
      headers: headerBlock(lines),
      timeoutMs: this.#session.commitTimeoutMs,
      waiter: this,
    });
  }

  #forgetSignal(): void {
    if (this.#onAbort !== undefined) this.#signal?.removeEventListener("abort", this.#onAbort);
  }
}

function gaveUp(message: DraftMessage, signal: AbortSignal): LogUnavailableError {
  return new LogUnavailableError(
    `The caller gave up before the log answered; ${message.subject} may hold the message.`,
    { cause: signal.reason, details: { subject: message.subject } },
  );
}
