/**
 * Payloads: MessagePack between Troupe processes, JSON accepted from everybody. A payload of either
 * format becomes a storable value (`storable.ts`), and a stored value comes back as it was.
 */
import { thrownText } from "../errors/thrown.ts";
import { UndecodablePayloadError } from "../errors/message-errors.ts";
import { readMessagePack } from "./message-pack-reader.ts";
import type { ValueLimits } from "./message-pack-writer.ts";
import { MessagePackWriter } from "./message-pack-writer.ts";
import { depthMax, notStorable, partsMax, storedCopy } from "./storable.ts";

/** Encoding of a payload. */
export type ContentType = "application/msgpack" | "application/json";

/**
 * Encode a storable value as MessagePack; never empty. @throws NotStorableError
 *
 * @example
 * ```ts
 * const bytes = encodePayload({ amount: 5 });
 * ```
 */
export function encodePayload(value: unknown, what = "The value"): Uint8Array {
  return withWriter(what, (writer) => writer.write(value, valueLimits));
}

/** Bytes of a value as it is encoded. @throws NotStorableError */
export function encodedBytes(value: unknown): number {
  return withWriter("The value", (writer) => writer.measure(value, valueLimits));
}

/**
 * Decode a payload; no content type means JSON, no bytes at all mean undefined. @throws
 * UndecodablePayloadError
 *
 * @example
 * ```ts
 * const value = decodePayload(bytes, "application/msgpack");
 * ```
 */
export function decodePayload(payload: Uint8Array, contentType: ContentType | undefined): unknown {
  if (payload.byteLength === 0) return undefined;
  const format = contentType ?? "application/json";
  try {
    if (format === "application/msgpack") return readMessagePack(payload, depthMax);
    return storedJson(JSON.parse(utf8.decode(payload)) as unknown);
  } catch (cause) {
    throw undecodable(payload, format, cause);
  }
}

/**
 * Encode a value that the engine itself makes of stored ones, such as a turn record: the parts it
 * adds around them do not count. @throws NotStorableError
 */
export function encodeRecordPayload(value: unknown): Uint8Array {
  return withWriter("The record", (writer) => writer.write(value, recordLimits));
}

/** Decode what `encodeRecordPayload` made. @throws UndecodablePayloadError */
export function decodeRecordPayload(payload: Uint8Array): unknown {
  try {
    return readMessagePack(payload, recordLimits.levels);
  } catch (cause) {
    throw undecodable(payload, "application/msgpack", cause);
  }
}

const valueLimits: ValueLimits = Object.freeze({ levels: depthMax, parts: partsMax });
const recordLimits: ValueLimits = Object.freeze({ levels: depthMax + 16, parts: Infinity });
const utf8 = new TextDecoder("utf-8", { fatal: true });

/**
 * A writer that is not in use at the moment. An accessor may encode a value while one is being
 * encoded.
 */
let idle: MessagePackWriter | undefined;

function withWriter<Result>(what: string, use: (writer: MessagePackWriter) => Result): Result {
  const writer = idle ?? new MessagePackWriter();
  idle = undefined;
  try {
    return use(writer);
  } catch (thrown) {
    throw notStorable(thrown, what);
  } finally {
    idle = writer;
  }
}

/** JSON can say what is not storable: keys, half characters, a million levels. @throws OddValue */
function storedJson(value: unknown): unknown {
  return storedCopy(value, "What it says");
}

function undecodable(payload: Uint8Array, format: string, cause: unknown): UndecodablePayloadError {
  const why = thrownText(cause);
  return new UndecodablePayloadError(`The payload is not valid ${format}: ${why}.`, {
    details: { contentType: format, bytes: payload.byteLength },
    cause,
  });
}
