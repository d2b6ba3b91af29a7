/**
 * Dead letters as messages: the original payload is the body, everything else is in headers that
 * people can read.
 *
 * A body is never empty, because an empty one ends a batch of direct gets; one marker byte stands
 * in for it. When the original would not fit together with the headers, only the reference to its
 * position is kept.
 */
import type { MsgHdrs } from "@nats-io/nats-core";
import {
  parseAgentName,
  storableFailure,
  type DeadLetter,
  type ErrorData,
  type Position,
} from "@troupe/core/log";

import { headerLine } from "./header-block.ts";
import { contentTypeOf, decodeText, encodeText } from "./metadata-headers.ts";

const header = Object.freeze({
  agent: "Troupe-Dead-Agent",
  position: "Troupe-Dead-Position",
  origin: "Troupe-Dead-Origin",
  attempts: "Troupe-Dead-Attempts",
  failure: "Troupe-Dead-Failure",
  /** `empty` or `omitted`: why the body is not the original. */
  body: "Troupe-Dead-Body",
  contentType: "Content-Type",
});

const marker: Uint8Array = Buffer.from("-");
const failureBytesMax = 8192;

export interface DeadLetterMessage {
  readonly lines: string;
  readonly payload: Uint8Array;
}

export function deadLetterMessage(letter: DeadLetter, payloadBytesMax: number): DeadLetterMessage {
  let lines =
    headerLine(header.position, letter.inputPosition) +
    headerLine(header.origin, encodeText(letter.origin)) +
    headerLine(header.attempts, letter.attempts) +
    headerLine(header.failure, failureText(letter.failure));
  const { agent, contentType, payload } = letter;
  if (contentType !== undefined) lines += headerLine(header.contentType, contentType);
  if (agent !== undefined) {
    lines += headerLine(header.agent, encodeText(`${agent.type}/${agent.key}`));
  }
  if (payload.length === 0)
    return { lines: lines + headerLine(header.body, "empty"), payload: marker };
  if (payload.length <= payloadBytesMax) return { lines, payload };
  return { lines: lines + headerLine(header.body, "omitted"), payload: marker };
}

/** The dead letter in a stored message, or undefined when the message is none. */
export function deadLetterOf(
  headers: MsgHdrs | undefined,
  body: Uint8Array,
): DeadLetter | undefined {
  const position = Number(headers?.get(header.position) ?? "");
  if (headers === undefined || !(position > 0)) return undefined;
  const agent = headers.get(header.agent);
  const contentType = headers.get(header.contentType);
  return {
    agent: agent === "" ? undefined : parseAgentName(decodeText(agent)),
    inputPosition: position satisfies Position,
    origin: decodeText(headers.get(header.origin)),
    failure: failureOf(headers.get(header.failure)),
    attempts: Number(headers.get(header.attempts)) || 0,
    payload: headers.get(header.body) === "" ? body : new Uint8Array(0),
    ...(contentType === "" ? {} : { contentType: contentTypeOf(contentType) }),
  };
}

/**
 * JSON has no raw line breaks. Details that are too long to travel in a header are left out, one by
 * one, then all of them.
 */
function failureText(failure: ErrorData): string {
  for (const bytesMax of [failureBytesMax, failureBytesMax / 2]) {
    const text = asJson(storableFailure(failure, bytesMax));
    if (text !== undefined && Buffer.byteLength(text) <= failureBytesMax) return text;
  }
  const { code, retryable } = failure;
  const message = failure.message.slice(0, failureBytesMax / 4);
  return asJson({ code, message, retryable }) ?? "{}";
}

function asJson(failure: ErrorData): string | undefined {
  try {
    return JSON.stringify(failure).toWellFormed();
  } catch {
    // Details may hold anything, also what JSON cannot.
    return undefined;
  }
}

function failureOf(text: string): ErrorData {
  try {
    const failure = JSON.parse(text) as Partial<ErrorData> | null;
    if (typeof failure?.code === "string" && typeof failure.message === "string") {
      return {
        ...failure,
        code: failure.code,
        message: failure.message,
        retryable: failure.retryable === true,
      };
    }
  } catch {
    // Falls through: somebody else wrote it.
  }
  return { code: "unknown", message: text, retryable: false };
}
