/**
 * Metadata that a record keeps of a message that it contains (R1 in engine/turn/dispatch.ts).
 * Address, id and message name stand with the sent message; fields that are as the record says are
 * left out.
 */
import { UndecodablePayloadError } from "../errors/message-errors.ts";
import type { InputDraft } from "../definition/message/input.ts";
import type { Metadata } from "../definition/message/metadata.ts";
import type { WireSent } from "./sent-message.ts";
import type { TurnRecord } from "./turn-record.ts";

/**
 * Sender, correlation id, hops, and all other fields that are not as usual; null there for missing
 * ones.
 */
export type WireContained = readonly [
  string | null,
  string | null,
  number | null,
  Readonly<Record<string, unknown>>?,
];

type Origin = Pick<TurnRecord, "messageId" | "traceparent">;

export function toWireContained(metadata: Metadata, origin: Origin): WireContained {
  const { sender = null, correlationId = null, hops = null } = metadata;
  const unusual = unusualIn(metadata, origin);
  return unusual === undefined
    ? [sender, correlationId, hops]
    : [sender, correlationId, hops, unusual];
}

function unusualIn(metadata: Metadata, origin: Origin): Record<string, unknown> | undefined {
  const { causationId, contentType, traceparent } = metadata;
  let found: Record<string, unknown> | undefined;
  if (contentType !== usualContentType) (found ??= {})["contentType"] = contentType ?? null;
  if (traceparent !== origin.traceparent) (found ??= {})["traceparent"] = traceparent ?? null;
  if (causationId !== origin.messageId) (found ??= {})["causationId"] = causationId ?? null;
  for (const name in metadata) {
    const value = metadata[name as keyof Metadata];
    if (value !== undefined && !toldElsewhere.has(name)) (found ??= {})[name] = value;
  }
  return found;
}

const usualContentType = "application/msgpack";
const toldElsewhere: ReadonlySet<string> = new Set<keyof Metadata>([
  "causationId",
  "contentType",
  "correlationId",
  "hops",
  "id",
  "message",
  "sender",
  "traceparent",
]);

/** The message that a record contains. @throws UndecodablePayloadError when it does not */
export function draftOf(
  wire: WireSent | undefined,
  contained: WireContained,
  origin: Origin,
): InputDraft {
  const [to = "", id, , message, payload] = wire ?? [];
  const [kind, name, ...rest] = to.split("/");
  if (payload === undefined || name === undefined || (kind !== "agent" && kind !== "topic")) {
    throw new UndecodablePayloadError(
      `A turn record says that a message to ${to} is stored after it, and does not contain it.`,
      { details: { to } },
    );
  }
  const [sender, correlationId, hops, unusual = {}] = contained;
  const { messageId: causationId, traceparent } = origin;
  const usual = { contentType: usualContentType, traceparent, causationId };
  const told = { id, message, sender, correlationId, hops, ...usual, ...unusual };
  const present = Object.entries(told).filter(([, value]) => value !== null && value !== undefined);
  const metadata: Metadata = Object.fromEntries(present);
  return { address: { kind, name, key: rest.join("/") }, metadata, payload };
}
