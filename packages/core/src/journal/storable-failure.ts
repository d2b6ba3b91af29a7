/**
 * A failure in the form in which a record can hold it: never more than so many bytes, for any
 * thrown value. Code and message always arrive, and of the details as much as can be: a part that
 * cannot be stored, or is too large, is left out alone, and `details.omitted` says which and why.
 * So the reason of a `Reject` arrives although its data do not.
 */
import type { ErrorData } from "../errors/troupe-error.ts";
import { thrownText } from "../errors/thrown.ts";
import { encodedBytes } from "../wire/payload.ts";
import { stored } from "../wire/storable.ts";

/** Bytes of a failure in a record. */
const failureBytesMax = 16_384;

/** @param bytesMax of the failure as it is stored, at least 4096 */
export function storableFailure(failure: ErrorData, bytesMax: number = failureBytesMax): ErrorData {
  const whole = attempt(failure, bytesMax);
  if (whole !== undefined) return whole.value as ErrorData;
  const { code, message, retryable } = failure;
  const said = cut(message, Math.floor(bytesMax / 8));
  const head = { code: cut(code, nameLengthMax), message: said, retryable };
  const room: Room = { left: bytesMax - encodedBytes(head) - roomForOmitted, omitted: {} };
  const details = partsOf(failure.details, "", room, 0);
  const { omitted } = room;
  const isWhole = Object.keys(omitted).length === 0;
  const kept: ErrorData = { ...head, details: isWhole ? details : { ...details, omitted } };
  return stored(kept, "A failure") as ErrorData;
}

/** Characters of a name or a reason why, entries that are told, and levels that are looked into. */
const nameLengthMax = 60;
const whyLengthMax = 120;
const omittedMax = 4;
const levelsMax = 4;
const entriesMax = 32;
/** A character of a string has three bytes at most. */
const roomForOmitted = omittedMax * 3 * (nameLengthMax + whyLengthMax) + 100;

interface Room {
  left: number;
  readonly omitted: Record<string, string>;
}

/** Every property that fits, and of those that do not, what fits of them. */
function partsOf(
  value: unknown,
  path: string,
  room: Room,
  level: number,
): Readonly<Record<string, unknown>> {
  const parts: Record<string, unknown> = {};
  for (const [name, part] of entriesOf(value)) {
    const at = path === "" ? name : `${path}.${name}`;
    room.left -= Buffer.byteLength(name) + headerBytes;
    const kept = partOf(part, at, room, level);
    if (kept !== undefined) parts[name] = kept;
  }
  return parts;
}

function partOf(part: unknown, at: string, room: Room, level: number): unknown {
  const kept = attempt(part, room.left);
  if (kept !== undefined) {
    room.left -= kept.bytes;
    return kept.value;
  }
  if (typeof part === "string" && room.left > 0) {
    omit(room, at, `shortened from ${part.length} characters`);
    const text = cut(part, Math.floor(room.left / 8));
    room.left -= encodedBytes(text);
    return text;
  }
  if (level < levelsMax && entriesOf(part).length > 0) return partsOf(part, at, room, level + 1);
  omit(room, at, whyNot(part));
  return undefined;
}

function omit(room: Room, at: string, why: string): void {
  if (Object.keys(room.omitted).length >= omittedMax) return;
  room.omitted[cut(at, nameLengthMax)] = cut(why, whyLengthMax);
}

interface Kept {
  readonly value: unknown;
  readonly bytes: number;
}

/** Undefined when it cannot be stored in so many bytes. */
function attempt(value: unknown, bytesMax: number): Kept | undefined {
  try {
    const kept = stored(value, "It");
    const bytes = encodedBytes(kept);
    return bytes <= bytesMax ? { value: kept, bytes } : undefined;
  } catch {
    return undefined;
  }
}

function whyNot(value: unknown): string {
  try {
    return `${encodedBytes(stored(value, "It"))} bytes are too many for a failure`;
  } catch (thrown) {
    return thrownText(thrown);
  }
}

/** Entries of an object whose properties may be stored one by one. */
function entriesOf(value: unknown): readonly (readonly [string, unknown])[] {
  try {
    if (typeof value !== "object" || value === null || Array.isArray(value)) return [];
    const entries = Object.entries(value).filter(([name]) => name !== "__proto__");
    return entries.slice(0, entriesMax).map(([name, part]) => [cut(name, nameLengthMax), part]);
  } catch {
    return [];
  }
}

/** Bytes that MessagePack needs for a name and for an object, at most. */
const headerBytes = 10;

/** The text's beginning, well-formed. */
function cut(text: unknown, lengthMax: number): string {
  return thrownText(text).slice(0, lengthMax).toWellFormed();
}
