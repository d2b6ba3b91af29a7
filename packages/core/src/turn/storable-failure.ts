/** A failure in the form in which a record can hold it. */
import type { ErrorData } from "../errors/troupe-error.ts";
import { decodePayload, encodePayload } from "../wire/payload.ts";

/** The failure as the log can store it: without details that are too long or no data at all. */
export function storableFailure(failure: ErrorData): ErrorData {
  try {
    const bytes = encodePayload(failure);
    if (bytes.byteLength <= failureBytesMax) {
      return decodePayload(bytes, "application/msgpack") as ErrorData;
    }
  } catch {
    // Details may hold anything, also what cannot be encoded.
  }
  const { code, message, retryable } = failure;
  return { code, message: message.slice(0, failureBytesMax / 4), retryable };
}

const failureBytesMax = 16_384;
