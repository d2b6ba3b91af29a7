/**
 * Payloads: MessagePack between Troupe processes, JSON accepted from everybody.
 *
 * MessagePack is written without msgpackr's record extension, so that any MessagePack reader
 * understands it. A property that is undefined is left out, elsewhere undefined is stored as nil.
 * Dates and binary data survive; class instances become plain maps.
 */
import { thrownText } from "../errors/thrown.ts";
import type { Options, Packr as TypedPackr } from "msgpackr";
// This entry is msgpackr without its native accelerator: the same code everywhere. It comes without
// types.
import { Packr as UntypedPackr } from "msgpackr/pack";

import { UndecodablePayloadError, UnencodableValueError } from "../errors/message-errors.ts";
import type { ContentType } from "../log/metadata.ts";

/** The types of msgpackr 2.1 do not know this option of it. */
interface PackrOptions extends Options {
  readonly skipValues: readonly unknown[];
}

const Packr = UntypedPackr as new (options: PackrOptions) => TypedPackr;
const packr = new Packr({
  useRecords: false,
  encodeUndefinedAsNil: true,
  // As in JSON: a property that is undefined is not there, or an optional field would come back as
  // null.
  skipValues: [undefined],
  // Binary data must not share memory with the message: changing one would change the other.
  copyBuffers: true,
});
const utf8 = new TextDecoder("utf-8", { fatal: true });

/** Encode a value as MessagePack; never empty. @throws UnencodableValueError */
export function encodePayload(value: unknown): Uint8Array {
  try {
    return packr.pack(value);
  } catch (cause) {
    const why = thrownText(cause);
    throw new UnencodableValueError(`The value cannot be encoded as MessagePack: ${why}.`, {
      cause,
    });
  }
}

/** Decode a payload; no content type means JSON. @throws UndecodablePayloadError */
export function decodePayload(payload: Uint8Array, contentType: ContentType | undefined): unknown {
  try {
    // Binary data has the type of what it is read from, so that is always the same.
    if (contentType === "application/msgpack") return packr.unpack(plainBytes(payload)) as unknown;
    return JSON.parse(utf8.decode(payload)) as unknown;
  } catch (cause) {
    const format = contentType ?? "application/json";
    const why = thrownText(cause);
    throw new UndecodablePayloadError(`The payload is not valid ${format}: ${why}.`, {
      details: { contentType: format, bytes: payload.byteLength },
      cause,
    });
  }
}

function plainBytes(bytes: Uint8Array): Uint8Array {
  return bytes.constructor === Uint8Array
    ? bytes
    : new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

/** A value as it is stored. */
export interface Stored {
  readonly value: unknown;
  readonly bytes: number;
}

/**
 * The value as everybody else will read it: a copy that has been through MessagePack. @throws
 * UnencodableValueError
 */
export function stored(value: unknown): Stored {
  if (value === null || typeof value === "boolean") return { value, bytes: 1 };
  const encoded = encodePayload(value);
  const bytes = encoded.byteLength;
  return { value: decodePayload(encoded, "application/msgpack"), bytes };
}

/** Only the value of `stored`. @throws UnencodableValueError */
export function asStored(value: unknown): unknown {
  return stored(value).value;
}
