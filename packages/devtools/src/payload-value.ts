/** Payloads as values for showing; a payload that cannot be decoded is shown as what it is. */
import { decodePayload } from "@troupe/core";
import type { Input } from "@troupe/core";

/** The value of an input's payload. */
export function payloadValue({ payload, metadata }: Input): unknown {
  try {
    return decodePayload(payload, metadata.contentType);
  } catch {
    return undecodable(payload);
  }
}

/**
 * The value of a dead letter's payload, whose content type is not stored. JSON of more than one
 * byte is never valid MessagePack, so trying both is unambiguous.
 */
export function untypedPayloadValue(payload: Uint8Array): unknown {
  for (const contentType of ["application/json", "application/msgpack"] as const) {
    try {
      return decodePayload(payload, contentType);
    } catch {
      // The other one, or neither.
    }
  }
  return undecodable(payload);
}

function undecodable(payload: Uint8Array): unknown {
  const text = Buffer.from(payload).toString("utf8");
  return text.includes("\u{fffd}") ? { bytes: payload } : { text };
}
