/** Meaning of an input: its message, its payload, and its handler. */
import type { MessageDefinition } from "../../definition/agent-definition.ts";
import { UnknownMessageError } from "../../errors/ask-errors.ts";
import { PayloadTooLargeError } from "../../errors/log-errors.ts";
import { UndecodablePayloadError } from "../../errors/message-errors.ts";
import type { Input } from "../../definition/message/input.ts";
import { decodePayload } from "../../wire/payload.ts";
import type { AgentRuntime } from "./agent-runtime.ts";

/** @throws PayloadTooLargeError, UndecodablePayloadError */
function decodeInput({ metadata, payload, position }: Input, bytesMax: number): unknown {
  const bytes = payload.byteLength;
  if (bytes <= bytesMax) return decodePayload(payload, metadata.contentType);
  throw new PayloadTooLargeError(
    `The message at ${position} has ${bytes} bytes, the limit is ${bytesMax}: send less, or raise messageBytesMax.`,
    { details: { position, bytes, bytesMax } },
  );
}

/**
 * The payload of an input, and the message's name where only the payload has it.
 * @throws PayloadTooLargeError, UndecodablePayloadError
 */
export function messageIn(
  input: Input,
  bytesMax: number,
): { readonly name: string | undefined; readonly payload: unknown } {
  const { address, metadata } = input;
  const payload = decodeInput(input, bytesMax);
  const topic = address.kind === "topic" ? address.name : metadata.topic;
  if ((topic ?? metadata.message ?? "") !== "") return { name: undefined, payload };
  const [name, body] = namedMessage(payload);
  return { name, payload: body };
}

/** @throws UnknownMessageError */
export function definitionOf(
  runtime: AgentRuntime,
  message: string,
  isTopic: boolean,
): MessageDefinition {
  const definition = runtime.handlerOf(message, isTopic);
  if (definition !== undefined) return definition;
  const known = Object.keys(runtime.definition.messages).join(", ") || "none";
  throw new UnknownMessageError(
    `Agent type ${runtime.type} handles no message ${JSON.stringify(message)}; it handles: ${known}.`,
    { details: { type: runtime.type, message } },
  );
}

/**
 * The message or topic that an input is, also when only its payload names it; undefined when that
 * cannot be read.
 */
export function nameOf(input: Input, bytesMax: number): string | undefined {
  const { address, metadata } = input;
  if (address.kind === "topic") return address.name;
  const { message, topic } = metadata;
  if (topic !== undefined) return topic;
  if (message !== undefined && message !== "") return message;
  try {
    const [name] = namedMessage(decodeInput(input, bytesMax));
    return name;
  } catch {
    return undefined;
  }
}

/**
 * A bare JSON message names itself: `{"deposit": {"amount": 5}}`. @throws UndecodablePayloadError
 */
function namedMessage(value: unknown): readonly [string, unknown] {
  if (typeof value === "object" && value !== null && !Array.isArray(value)) {
    const entries = Object.entries(value);
    const [first] = entries;
    if (entries.length === 1 && first !== undefined) return first;
  }
  throw new UndecodablePayloadError(
    'The payload does not name its message: send {"<message>": {…}} or set the header Troupe-Message.',
  );
}
