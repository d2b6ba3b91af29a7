/**
 * The input that the relay makes of a foreign message (I14), with the few things that a stranger
 * may say about it.
 *
 *  FOREIGN-1 Only what is named here comes along; every other header stays behind, whatever a
 *     server makes of it today or later.
 *  FOREIGN-2 Its id gets a beginning that no id of ours has, and is compared with nothing in the
 *            log.
 *  FOREIGN-3 Its reply address lies under the namespace's prefix for foreign inboxes, so a worker
 *     cannot be made to write anywhere else.
 *  FOREIGN-4 A message that cannot be accepted is stored as an unroutable message, which becomes
 *     one dead letter: nothing that was acknowledged vanishes (I10).
 */
import { TroupeError } from "@troupe/core";
import { ForeignMessageError } from "@troupe/core/errors";
import { tokenToKey, type Address } from "@troupe/core/log";

import type { DraftMessage } from "./draft-message.ts";
import { headerLine } from "./header-block.ts";
import { visitHeaders } from "./header-text.ts";
import { badSubject, inputSubject } from "./input-subject.ts";
import { contentTypeOf, encodeText, metadataHeader } from "./metadata-headers.ts";
import { isForeignReplyAddress } from "./reply-address.ts";
import type { Subjects } from "./subjects.ts";

/** A message as it lies in the ingress. */
export interface ForeignMessage {
  readonly subject: string;
  /** Header block of the message as text; empty when there is none. */
  readonly block: string;
  readonly payload: Uint8Array;
  /** Sequence of the message in the ingress. */
  readonly sequence: number;
}

/** Most bytes of headers that are looked at. */
const foreignHeaderBytesMax = 16_384;
const textLengthMax = 256;
const traceLengthMax = 512;

/** An input of its partition, or an unroutable message. Never throws. */
export function takenMessage(message: ForeignMessage, subjects: Subjects): DraftMessage {
  try {
    const address = foreignAddress(message.subject, subjects);
    const lines = foreignLine(message) + acceptedLines(message.block, subjects);
    return {
      subject: inputSubject(subjects, address),
      lines,
      payload: message.payload,
    };
  } catch (thrown) {
    const fault = thrown instanceof TroupeError ? thrown : badSubject(message.subject, thrown);
    return unroutableMessage(message, fault, subjects);
  }
}

/** A message that becomes a dead letter because of this fault. */
export function unroutableMessage(
  { payload, sequence, subject }: ForeignMessage,
  fault: TroupeError,
  subjects: Subjects,
): DraftMessage {
  const lines =
    headerLine(metadataHeader.foreign, sequence) +
    headerLine(unroutableHeader.subject, encodeText(subject.slice(0, shownLengthMax))) +
    headerLine(unroutableHeader.code, fault.code) +
    headerLine(unroutableHeader.message, encodeText(fault.message.slice(0, shownLengthMax)));
  return { subject: subjects.unroutable, lines, payload };
}

interface UnroutableHeader {
  readonly subject: string;
  readonly code: string;
  readonly message: string;
}

/** Names of the headers with an unroutable message's subject, and with its fault. */
export const unroutableHeader: UnroutableHeader = Object.freeze({
  subject: "Troupe-Unroutable-Subject",
  code: "Troupe-Unroutable-Code",
  message: "Troupe-Unroutable-Message",
});

/** Characters of a stranger's subject that are kept and shown. */
const shownLengthMax = 2048;

const name = /^[A-Za-z][A-Za-z0-9_-]{0,63}$/;

/** @throws InvalidKeyError */
function foreignAddress(subject: string, { namespace }: Subjects): Address {
  const [kind, addressed = "", token = "", ...more] = subject
    .slice(namespace.length + 1)
    .split(".");
  const isAddress = (kind === "topic" || kind === "agent") && token !== "" && more.length === 0;
  if (!isAddress || !name.test(addressed)) throw badSubject(subject);
  return { kind, name: addressed, key: tokenToKey(token) };
}

function foreignLine({ sequence }: ForeignMessage): string {
  return headerLine(metadataHeader.foreign, sequence);
}

interface Accepted {
  id: string;
  message: string;
  replyTo: string;
  contentType: string;
  traceparent: string;
  tracestate: string;
}

/** FOREIGN-1. Of headers with the same name the last one counts. @throws ForeignMessageError */
function acceptedLines(block: string, subjects: Subjects): string {
  if (block === "") return "";
  if (block.length > foreignHeaderBytesMax) {
    throw refused(
      `It has ${block.length} bytes of headers, the limit is ${foreignHeaderBytesMax}.`,
    );
  }
  const said: Accepted = {
    id: "",
    message: "",
    replyTo: "",
    contentType: "",
    traceparent: "",
    tracestate: "",
  };
  visitHeaders(block, (header, value) => {
    const field = fields[header];
    if (field !== undefined) said[field] = value;
  });
  return linesOf(said, subjects);
}

const fields: Readonly<Record<string, keyof Accepted>> = Object.freeze(
  Object.assign(Object.create(null) as Record<string, keyof Accepted>, {
    [metadataHeader.id]: "id",
    [metadataHeader.message]: "message",
    [metadataHeader.replyTo]: "replyTo",
    [metadataHeader.contentType]: "contentType",
    [metadataHeader.traceparent]: "traceparent",
    [metadataHeader.tracestate]: "tracestate",
  }),
);

function linesOf(said: Accepted, subjects: Subjects): string {
  const { contentType, id, message, replyTo, traceparent, tracestate } = said;
  let lines = "";
  if (id !== "") lines += headerLine(metadataHeader.sentId, foreignId(id));
  if (message !== "") lines += headerLine(metadataHeader.message, foreignName(message));
  if (replyTo !== "") lines += headerLine(metadataHeader.replyTo, foreignInbox(replyTo, subjects));
  if (contentType !== "")
    lines += headerLine(metadataHeader.contentType, contentTypeOf(contentType));
  if (isTrace(traceparent)) lines += headerLine(metadataHeader.traceparent, traceparent);
  if (isTrace(tracestate)) lines += headerLine(metadataHeader.tracestate, tracestate);
  return lines;
}

/** FOREIGN-2 */
function foreignId(id: string): string {
  if (!isPlain(id, textLengthMax)) {
    throw refused(
      `Its id (${metadataHeader.id}) must be 1 to ${textLengthMax} printable characters.`,
    );
  }
  return `foreign:${id}`;
}

function foreignName(message: string): string {
  if (name.test(message)) return message;
  throw refused(
    `Its header ${metadataHeader.message}, ${shown(message)}, cannot be the name of a message.`,
  );
}

/** FOREIGN-3 */
function foreignInbox(replyTo: string, subjects: Subjects): string {
  if (isForeignReplyAddress(replyTo, subjects)) return replyTo;
  throw refused(
    `Its reply address (${metadataHeader.replyTo}) ${shown(replyTo)} is not allowed: use a subject below ${subjects.foreignReplyPrefix}`,
  );
}

/** Trace context is decoration: an unusable one is left out. */
function isTrace(value: string): boolean {
  return value !== "" && isPlain(value, traceLengthMax);
}

const printable = /^[\u0021-\u007e]+$/;

function isPlain(value: string, lengthMax: number): boolean {
  return value.length <= lengthMax && printable.test(value);
}

function shown(value: string): string {
  return JSON.stringify(value.length > 60 ? `${value.slice(0, 57)}…` : value);
}

function refused(why: string): ForeignMessageError {
  return new ForeignMessageError(`The foreign message is not handled. ${why}`);
}
