import * as fc from "fast-check";
// This entry is the reader without its native accelerator; it comes without types.
import { Packr as UntypedPackr } from "msgpackr/pack";
import { describe, expect, it } from "vitest";

import { decodePayload, encodedBytes, encodePayload } from "./payload.ts";
import { handedOut, stored, storedCopy } from "./storable.ts";

/** Another implementation of MessagePack. */
const Packr = UntypedPackr as new (options: { readonly useRecords: boolean }) => {
  pack(value: unknown): Uint8Array;
  unpack(bytes: Uint8Array): unknown;
};

const text = fc.string({ unit: "grapheme" });
const scalar = fc.oneof(
  fc.constantFrom(null, true, false, undefined, 0, -0, Infinity, -Infinity, Number.NaN),
  fc.integer(),
  fc.maxSafeInteger(),
  fc.double(),
  text,
  fc.string({ unit: "grapheme-composite", maxLength: 300 }),
  fc.date({ noInvalidDate: true }),
  fc.uint8Array({ maxLength: 300 }),
);
const name = text.filter((key) => key !== "__proto__");
const mapKey = fc.oneof(text, fc.integer(), fc.boolean(), fc.constant(Number.NaN));

/** Any value that the definition names. */
const storable = fc.letrec<{ value: unknown }>((tie) => ({
  value: fc.oneof(
    { depthSize: "small", withCrossShrink: true },
    scalar,
    fc.array(tie("value"), { maxLength: 20 }),
    fc.dictionary(name, tie("value"), { maxKeys: 20 }),
    fc.array(fc.tuple(mapKey, tie("value"))).map((entries) => new Map(entries)),
    fc.array(tie("value")).map((elements) => new Set(elements)),
  ),
})).value;

/** Any value of JavaScript, with all that is odd about it. */
const anything = fc.anything({
  withBigInt: true,
  withBoxedValues: true,
  withDate: true,
  withMap: true,
  withNullPrototype: true,
  withObjectString: true,
  withSet: true,
  withSparseArray: true,
  withTypedArray: true,
  withUnicodeString: true,
  maxDepth: 4,
});

const reread = (value: unknown): unknown =>
  decodePayload(encodePayload(value), "application/msgpack");

describe("a storable value (I12)", () => {
  it("comes back from its bytes as exactly what its stored form is, and is storable again", () => {
    const law = fc.property(storable, (value) => {
      const form = stored(value, "It");
      const read = reread(form);
      expect(sameLeaves(read, form)).toBe(true);
      expect(sameLeaves(stored(read, "It"), form)).toBe(true);
      expect(encodePayload(read)).toEqual(encodePayload(form));
      // Encoding the given value and encoding its stored form write the same bytes.
      expect(encodePayload(value)).toEqual(encodePayload(form));
      expect(encodedBytes(value)).toBe(encodePayload(value).byteLength);
    });
    fc.assert(law, { numRuns: 500 });
  });

  it("is any value whatever, or it is refused by name, by the copy and by the writer alike", () => {
    const law = fc.property(anything, (value) => {
      const copy = attempt(() => stored(value, "It"));
      const bytes = attempt(() => encodePayload(value));
      expect(bytes.refused).toBe(copy.refused);
      const isSame = copy.refused === undefined && sameLeaves(reread(value), copy.value);
      expect(isSame || copy.refused).toBe(isSame || "not-storable");
    });
    fc.assert(law, { numRuns: 1000 });
  });

  it("can be changed by nobody who gets it", () => {
    const law = fc.property(storable, (value) => {
      const form = stored(value, "It");
      const before = encodePayload(form);
      spoil(handedOut(form));
      spoil(storedCopy(form, "It"));
      spoil(value);
      expect(encodePayload(form)).toEqual(before);
    });
    fc.assert(law, { numRuns: 300 });
  });

  it("is read by another reader of MessagePack, and what that writes is read by us", () => {
    const other = new Packr({ useRecords: false });
    const json = fc.jsonValue({ maxDepth: 5 }).filter((value) => !hasProto(value));
    const law = fc.property(json, (value) => {
      const form = stored(value, "It");
      const withoutSign = JSON.parse(JSON.stringify(form)) as unknown;
      expect(JSON.parse(JSON.stringify(other.unpack(encodePayload(form))))).toEqual(withoutSign);
      expect(decodePayload(other.pack(withoutSign), "application/msgpack")).toEqual(withoutSign);
    });
    fc.assert(law, { numRuns: 200 });
  });
});

describe("a payload from anybody", () => {
  it("is a storable value or an error by name, whatever its bytes", () => {
    const bytes = fc.oneof(
      fc.uint8Array({ maxLength: 200 }),
      // One that was right, with one byte changed.
      fc.tuple(storable, fc.nat(), fc.nat(255)).map(([value, at, byte]) => {
        const right = encodePayload(value).slice();
        right[at % right.length] = byte;
        return right;
      }),
    );
    const law = fc.property(bytes, fc.boolean(), (payload, json) => {
      const type = json ? "application/json" : "application/msgpack";
      const read = attempt(() => decodePayload(payload, type));
      const isStorable =
        read.refused === undefined && sameLeaves(stored(read.value, "It"), read.value);
      expect(isStorable || read.refused).toBe(isStorable || "undecodable-payload");
    });
    fc.assert(law, { numRuns: 2000 });
  });
});

function attempt(run: () => unknown): { readonly value?: unknown; readonly refused?: string } {
  try {
    return { value: run() };
  } catch (thrown) {
    return { refused: (thrown as { readonly code?: string }).code ?? String(thrown) };
  }
}

/**
 * Equal by `Object.is` on every leaf, with the same prototypes and the same order of everything.
 */
function sameLeaves(left: unknown, right: unknown): boolean {
  if (typeof left !== "object" || left === null || typeof right !== "object" || right === null) {
    return Object.is(left, right);
  }
  if (Object.getPrototypeOf(left) !== Object.getPrototypeOf(right)) return false;
  if (left instanceof Date) return left.getTime() === (right as Date).getTime();
  const [ours, theirs] = [partsOf(left), partsOf(right)];
  return (
    ours.length === theirs.length && ours.every((part, index) => sameLeaves(part, theirs[index]))
  );
}

function partsOf(value: object): readonly unknown[] {
  if (value instanceof Map) return [...value].flat();
  if (value instanceof Set) return [...value];
  if (Array.isArray(value) || value instanceof Uint8Array) return [...value];
  return Object.keys(value).flatMap((key) => [key, (value as Record<string, unknown>)[key]]);
}

/** Change whatever can be changed in it. */
function spoil(value: unknown): void {
  if (typeof value !== "object" || value === null) return;
  const parts = partsOf(value);
  if (value instanceof Date) value.setTime(value.getTime() === 0 ? 1 : 0);
  else if (value instanceof Uint8Array) value.fill(77);
  else if (value instanceof Map) value.clear();
  else if (value instanceof Set) value.clear();
  else if (!Object.isFrozen(value))
    for (const key of Object.keys(value)) Reflect.set(value, key, 7);
  for (const part of parts) spoil(part);
}

function hasProto(value: unknown): boolean {
  return JSON.stringify(value).includes("__proto__");
}
