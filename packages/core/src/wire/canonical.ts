/**
 * Canonical form: the same bytes for values with the same content, whatever the order of the
 * properties of their objects, because the order in which a program or a database puts them is
 * chance. The order in a Map and in an array is content.
 */
import { decodePayload, encodePayload } from "./payload.ts";

/** @throws NotStorableError */
export function canonicalBytes(value: unknown): Uint8Array {
  return encodePayload(isSorted(value) ? value : sorted(value));
}

/** The same of a payload as `encodePayload` made it, which most payloads are already. */
export function canonicalPayload(payload: Uint8Array): Uint8Array {
  const value = decodePayload(payload, "application/msgpack");
  return isSorted(value) ? payload : encodePayload(sorted(value));
}

/** Most values come as they are declared; a copy is made only where that is not sorted. */
function isSorted(value: unknown): boolean {
  if (Array.isArray(value)) return value.every(isSorted);
  if (!isPlain(value)) return true;
  let before = "";
  for (const name in value) {
    if (name < before || !isSorted(value[name])) return false;
    before = name;
  }
  return true;
}

function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (!isPlain(value)) return value;
  const entries = Object.entries(value).map(([name, each]) => [name, sorted(each)] as const);
  return Object.fromEntries(entries.toSorted(([a], [b]) => (a < b ? -1 : 1)));
}

function isPlain(value: unknown): value is Readonly<Record<string, unknown>> {
  if (typeof value !== "object" || value === null) return false;
  return Object.getPrototypeOf(value) === Object.prototype;
}
