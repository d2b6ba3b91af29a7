/** Payloads as values for showing; a payload that cannot be decoded is shown as what it is. */
import { decodePayload } from "@troupe/core/log";
import type { ContentType, DeadLetter, Input } from "@troupe/core/log";

/** The value of an input's payload. */
export function payloadValue({ payload, metadata }: Input): unknown {
  return decoded(payload, metadata.contentType);
}

/** The value of a dead letter's payload. */
export function deadPayloadValue({ payload, contentType }: DeadLetter): unknown {
  return decoded(payload, contentType);
}

function decoded(payload: Uint8Array, contentType: ContentType | undefined): unknown {
  try {
    return decodePayload(payload, contentType);
  } catch {
    return undecodable(payload);
  }
}

function undecodable(payload: Uint8Array): unknown {
  const text = Buffer.from(payload).toString("utf8");
  return text.includes("\u{fffd}") ? { bytes: payload } : { text };
}
