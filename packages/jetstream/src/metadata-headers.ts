/**
 * Metadata as message headers, readable with the nats command line.
 *
 * Ids, trace context and reply addresses are stored as they are. The names of senders and callers
 * hold agent keys, which may be any text, so they are percent-encoded where a header could not
 * carry them. No Content-Type means JSON.
 */
import { LogRefusedError } from "@troupe/core/errors";
import { firingId, type ContentType, type Metadata } from "@troupe/core/log";

import { headerLine } from "./header-block.ts";
import { visitHeaders } from "./header-text.ts";

interface MetadataHeader extends Readonly<Record<Exclude<keyof Metadata, "deadlineMs">, string>> {
  readonly sentId: string;
  readonly deadline: string;
}

/** Names of the headers that carry metadata. */
export const metadataHeader: MetadataHeader = Object.freeze({
  foreign: "Troupe-Foreign",
  id: "Nats-Msg-Id",
  sentId: "Troupe-Id",
  message: "Troupe-Message",
  topic: "Troupe-Topic",
  contentType: "Content-Type",
  traceparent: "traceparent",
  tracestate: "tracestate",
  link: "Troupe-Link",
  sender: "Troupe-Sender",
  causationId: "Troupe-Causation-Id",
  correlationId: "Troupe-Correlation-Id",
  replyTo: "Troupe-Reply-To",
  deadline: "Troupe-Deadline",
  hops: "Troupe-Hops",
  callers: "Troupe-Callers",
  askers: "Troupe-Askers",
  timer: "Troupe-Timer",
});

interface NextFiringHeader {
  readonly server: string;
  /** The same, in what came from another shard. */
  readonly kept: string;
}

/** In what a timer sends: when a repeating one fires next, or `purge` for the others. */
export const nextFiringHeader: NextFiringHeader = Object.freeze({
  server: "Nats-Schedule-Next",
  kept: "Troupe-Timer-Next",
});

/**
 * Header for a message's id: `Nats-Msg-Id` lets the server store it once within its window,
 * `Troupe-Id` is for what a turn sends, which the turn's expected revision already makes happen
 * once.
 */
export type IdHeader = "Nats-Msg-Id" | "Troupe-Id";

/**
 * The header lines of a message. An id for `Nats-Msg-Id` is one of its address: the server compares
 * it with all that the stream has, so it begins with the scope. @throws LogRefusedError when a
 * value cannot be a header. */
export function metadataLines(metadata: Metadata, idHeader: IdHeader, scope: string): string {
  const { id, message, topic, contentType, traceparent, tracestate, sender } = metadata;
  const { causationId, correlationId, replyTo, askers, callers, timer } = metadata;
  let lines = "";
  if (id !== undefined) lines += idLine(idHeader, scope, id);
  if (message !== undefined) lines += plain(metadataHeader.message, message);
  if (topic !== undefined) lines += plain(metadataHeader.topic, topic);
  if (contentType !== undefined) lines += headerLine(metadataHeader.contentType, contentType);
  if (traceparent !== undefined) lines += plain(metadataHeader.traceparent, traceparent);
  if (tracestate !== undefined) lines += plain(metadataHeader.tracestate, tracestate);
  if (metadata.link !== undefined) lines += plain(metadataHeader.link, metadata.link);
  if (sender !== undefined) lines += headerLine(metadataHeader.sender, encodeText(sender));
  if (causationId !== undefined) lines += plain(metadataHeader.causationId, causationId);
  if (correlationId !== undefined) lines += plain(metadataHeader.correlationId, correlationId);
  if (replyTo !== undefined) lines += plain(metadataHeader.replyTo, replyTo);
  lines += numberLines(metadata);
  if (callers !== undefined) lines += listLine(metadataHeader.callers, callers);
  if (askers !== undefined) lines += listLine(metadataHeader.askers, askers);
  if (timer !== undefined) lines += headerLine(metadataHeader.timer, encodeText(timer));
  return lines;
}

function numberLines({ deadlineMs, hops }: Metadata): string {
  const deadline = deadlineMs === undefined ? "" : headerLine(metadataHeader.deadline, deadlineMs);
  return hops === undefined ? deadline : deadline + headerLine(metadataHeader.hops, hops);
}

/**
 * Header lines that mark a message which an operator sends again, and which was foreign the first
 * time.
 */
export function foreignLines({ foreign }: Metadata): string {
  return foreign === true ? headerLine(metadataHeader.foreign, "again") : "";
}

function idLine(idHeader: IdHeader, scope: string, id: string): string {
  const line = plain(idHeader, id);
  return scope === "" ? line : headerLine(idHeader, scope + id);
}

type Mutable<T> = { -readonly [K in keyof T]: T[K] };

/**
 * The metadata in a message's header block. Unknown headers, such as those of a batch, are ignored;
 * of headers with the same name, the last one counts.
 */
export function metadataOf(block: string, scope = ""): Metadata {
  const metadata: Mutable<Metadata> = {};
  let nextAtMs = Number.NaN;
  visitHeaders(block, (name, value) => {
    if (name === nextFiringHeader.server || name === nextFiringHeader.kept)
      nextAtMs = Date.parse(value);
    else if (value !== "") setField(metadata, name, value);
  });
  if (scope !== "" && metadata.id?.startsWith(scope) === true) {
    metadata.id = metadata.id.slice(scope.length);
  }
  if (metadata.id !== undefined && metadata.timer !== undefined && !Number.isNaN(nextAtMs)) {
    metadata.id = firingId(metadata.id, nextAtMs);
  }
  return metadata;
}

function setField(metadata: Mutable<Metadata>, name: string, value: string): void {
  switch (name) {
    case metadataHeader.id:
    case metadataHeader.sentId:
      metadata.id = value;
      break;
    case metadataHeader.message:
      metadata.message = value;
      break;
    case metadataHeader.foreign:
      metadata.foreign = true;
      break;
    case metadataHeader.topic:
      metadata.topic = value;
      break;
    case metadataHeader.contentType:
      metadata.contentType = contentTypeOf(value);
      break;
    case metadataHeader.traceparent:
      metadata.traceparent = value;
      break;
    case metadataHeader.tracestate:
      metadata.tracestate = value;
      break;
    case metadataHeader.sender:
      metadata.sender = decodeText(value);
      break;
    case metadataHeader.causationId:
      metadata.causationId = value;
      break;
    case metadataHeader.correlationId:
      metadata.correlationId = value;
      break;
    case metadataHeader.replyTo:
      metadata.replyTo = value;
      break;
    case metadataHeader.deadline:
      metadata.deadlineMs = numberOf(value);
      break;
    case metadataHeader.timer:
      metadata.timer = decodeText(value);
      break;
    default:
      setList(metadata, name, value);
  }
}

function setList(metadata: Mutable<Metadata>, name: string, value: string): void {
  if (name === metadataHeader.hops) metadata.hops = numberOf(value);
  else if (name === metadataHeader.link) metadata.link = value;
  if (name === metadataHeader.callers) metadata.callers = listOf(value);
  else if (name === metadataHeader.askers) metadata.askers = listOf(value);
}

/**
 * Content type of a header value: all that is not msgpack is taken as JSON; decoding the payload
 * tells if it is not.
 */
export function contentTypeOf(value: string): ContentType {
  return value.startsWith("application/msgpack") ? "application/msgpack" : "application/json";
}

function numberOf(value: string): number | undefined {
  const number = Number(value);
  return Number.isFinite(number) ? number : undefined;
}

// oxlint-disable-next-line no-control-regex -- control characters are what a header cannot carry.
const unsafeInHeader = /[\u0000-\u001f\u007f]|^\s|\s$/;

function listLine(name: string, values: readonly string[]): string {
  return values.length === 0 ? "" : headerLine(name, values.map(encodeText).join(","));
}

function listOf(value: string): readonly string[] {
  return value.split(",").map(decodeText);
}

function plain(name: string, value: string): string {
  if (value === "" || unsafeInHeader.test(value)) {
    throw new LogRefusedError(
      `The value ${JSON.stringify(value)} cannot travel in the header ${name}: it is empty, or has ` +
        `control characters or spaces around it.`,
      { details: { header: name, value } },
    );
  }
  return `${name}: ${value}\r\n`;
}

// oxlint-disable-next-line no-control-regex
const encodedInText = /[\u0000-\u0020\u007f%,]|\s/g;

/** Text with control characters, blanks, commas and percent signs percent-encoded. */
export function encodeText(text: string): string {
  return text.toWellFormed().replace(encodedInText, (unit) => {
    const code = unit.charCodeAt(0);
    if (code > 0x7f) return encodeURIComponent(unit);
    return `%${code.toString(16).toUpperCase().padStart(2, "0")}`;
  });
}

/** The text of an encoded value; a value that nobody encoded is returned as it is. */
export function decodeText(value: string): string {
  if (!value.includes("%")) return value;
  try {
    return decodeURIComponent(value);
  } catch {
    return value;
  }
}
