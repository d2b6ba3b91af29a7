/**
 * Storing inputs (I1). The message id makes it safe to try again: within the stream's duplicate
 * window the same id is stored once.
 */
import { randomUUID } from "node:crypto";

import {
  LogUnavailableError,
  type Accepted,
  type CallOptions,
  type InputDraft,
} from "@troupe/core";

import { inputMessage, type DraftMessage } from "./draft-message.ts";
import { publishError } from "./publish-error.ts";
import { publish } from "./publish.ts";
import { retryUnavailable } from "./retry.ts";
import type { Session } from "./session.ts";

export async function accept(
  session: Session,
  draft: InputDraft,
  options: CallOptions = {},
): Promise<Accepted> {
  const { signal } = options;
  const message = acceptedMessage(session, draft);
  if (signal?.aborted === true) throw gaveUp(message, signal);
  const { acceptTimeoutMs: timeoutMs } = session;
  const storing = session.acceptWindow.through(`The message for ${message.subject}`, () =>
    retryUnavailable(() => store(session, message), { timeoutMs, signal }),
  );
  return signal === undefined ? storing : orAborted(storing, message, signal);
}

/** A message for the stream that has an id in any case. */
function acceptedMessage(session: Session, draft: InputDraft): DraftMessage {
  const { subjects, partitions, limits } = session;
  const id = draft.metadata.id ?? randomUUID();
  const identified = { ...draft, metadata: { ...draft.metadata, id } };
  return inputMessage(identified, {
    subjects,
    partitions,
    payloadBytesMax: limits.payloadBytesMax,
    idHeader: "Nats-Msg-Id",
  });
}

async function store(session: Session, message: DraftMessage): Promise<Accepted> {
  const ack = await publish(session, message);
  if (ack.error !== undefined) throw publishError(ack.error, `The message for ${message.subject}`);
  return { position: ack.seq, duplicate: ack.duplicate };
}

function orAborted<T>(work: Promise<T>, message: DraftMessage, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const onAbort = (): void => reject(gaveUp(message, signal));
    signal.addEventListener("abort", onAbort, { once: true });
    work.then(resolve, reject).finally(() => signal.removeEventListener("abort", onAbort));
  });
}

function gaveUp(message: DraftMessage, signal: AbortSignal): LogUnavailableError {
  return new LogUnavailableError(
    `The caller gave up before the log answered; ${message.subject} may hold the message.`,
    { cause: signal.reason, details: { subject: message.subject } },
  );
}
