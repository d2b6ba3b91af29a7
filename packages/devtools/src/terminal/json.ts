/**
 * Values as JSON: what agents store is richer than JSON (binary data, Maps, NaN), and what is
 * shown must not contain control characters, which inside JSON can always be written as escapes.
 */
import { printable, printableLines } from "@troupe/core/operate";

/** Compact without an indent, else pretty. Binary data is shown as base64; `undefined` as null. */
export function toJson(value: unknown, indent = 0): string {
  const text = JSON.stringify(value, plain, indent) ?? "null";
  return indent === 0 ? printable(text) : printableLines(text);
}

/** The holder is asked for the value because `toJSON` of a buffer ran already. */
function plain(this: unknown, key: string, value: unknown): unknown {
  const original = (this as Readonly<Record<string, unknown>>)[key];
  if (original instanceof Uint8Array) return Buffer.from(original).toString("base64");
  if (typeof value === "bigint") return value.toString();
  if (typeof value === "number" && !Number.isFinite(value)) return String(value);
  if (value instanceof Map) return withNames(value);
  if (value instanceof Set) return [...value];
  return value;
}

/** A Map as an object, or as its entries when its keys are not all strings. */
function withNames(map: ReadonlyMap<unknown, unknown>): unknown {
  const isNamed = [...map.keys()].every((key) => typeof key === "string");
  return isNamed ? Object.fromEntries(map) : [...map];
}
