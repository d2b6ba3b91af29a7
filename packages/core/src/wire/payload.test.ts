import { describe, expect, it } from "vitest";

import { decodePayload, encodePayload } from "./payload.ts";

const bytes = (...parts: readonly (number | string)[]): Uint8Array =>
  Buffer.concat(
    parts.map((part) => (typeof part === "string" ? Buffer.from(part) : Uint8Array.of(part))),
  );

describe("MessagePack from anybody", () => {
  it.each<[string, Uint8Array, string]>([
    ["an extension of another library", bytes(0xc7, 1, 0x42, 0xff), "extension type 66 is none of"],
    ["an error of another library", bytes(0xd4, 0x65, 0x90), "extension type 101 is none of"],
    ["a pointer of another library", bytes(0xd6, 0x69, 0, 0, 0, 1), "extension type 105 is none"],
    ["an unknown date", bytes(0xd5, 0xff, 0, 0), "a date has 2 bytes"],
    ["a date beyond all", bytes(0xc7, 12, 0xff, 0, 0, 0, 0, 0x7f, 0, 0, 0, 0, 0, 0, 0), "out of"],
    ["a prototype", bytes(0x81, 0xa9, "__proto__", 0x80), 'has a property "__proto__"'],
    ["a name that is a number", bytes(0x81, 1, 1), "a key of an object is not a string"],
    ["an integer of 64 bits", bytes(0xcf, 0xff, 0, 0, 0, 0, 0, 0, 0), "beyond 2^53"],
    ["text that is no UTF-8", bytes(0xa2, 0xc3, 0x28), "not valid UTF-8"],
    ["long text that is no UTF-8", bytes(0xd9, 80, "x".repeat(79), 0xff), "not valid UTF-8"],
    ["half a surrogate pair", bytes(0xa3, 0xed, 0xa0, 0x80), "not valid UTF-8"],
    ["two values", bytes(1, 2), "1 bytes follow the value"],
    ["half a value", bytes(0x92, 1), "ends within a value"],
    ["a Map that is no array", bytes(0xd4, 1, 7), "a Map or Set is not an array"],
    ["a Map of an odd number", bytes(0xc7, 2, 1, 0x91, 7), "a key without a value"],
    ["a Map named by an object", bytes(0xc7, 3, 1, 0x92, 0x80, 7), "a key of a Map is an object"],
    ["an extension that is longer", bytes(0xc7, 3, 2, 0x90, 0, 0), "has another length"],
    ["129 levels", new Uint8Array(130).fill(0x91), "nested more than 128 levels deep"],
    ["a million levels", new Uint8Array(1e6).fill(0x81), "a key of an object is not a string"],
    ["the byte that begins nothing", bytes(0xc1), "begins no value"],
  ])("is refused by name: %s", (_, payload, why) => {
    const decode = (): unknown => decodePayload(payload, "application/msgpack");
    expect(decode).toThrow(why);
    expect(decode).toThrow(expect.objectContaining({ code: "undecodable-payload" }));
  });

  it("may use longer forms than ours, and floats of 32 bits", () => {
    const decode = (payload: Uint8Array): unknown => decodePayload(payload, "application/msgpack");
    expect(decode(bytes(0xd3, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xfe))).toBe(-2);
    expect(decode(bytes(0xca, 0x3f, 0x80, 0, 0))).toBe(1);
    expect(decode(bytes(0xdb, 0, 0, 0, 1, "a"))).toBe("a");
    expect(decode(bytes(0xdf, 0, 0, 0, 2, 0xa1, "a", 1, 0xa1, "a", 2))).toEqual({ a: 2 });
    expect(decode(bytes(0xd6, 0xff, 0, 0, 0, 1))).toEqual(new Date(1000));
  });
});

describe("a payload", () => {
  it("shares no memory with the value that is made of it, nor with a later payload", () => {
    const payload = encodePayload({ bytes: Uint8Array.of(1, 2, 3) });
    const value = decodePayload(payload, "application/msgpack");
    const copy = payload.slice();
    for (let each = 0; each < 2000; each++) encodePayload({ text: "x".repeat(each % 300) });
    expect(payload).toEqual(copy);
    payload.fill(0);
    expect(value).toEqual({ bytes: Uint8Array.of(1, 2, 3) });
  });

  it("of any size is written, after and before others", () => {
    for (const size of [0, 31, 32, 255, 256, 8000, 8192, 65_535, 65_536, 3_000_000, 10]) {
      const text = "ä".repeat(size);
      const value = { text, list: Array.from({ length: size % 70_000 }, (_, index) => index) };
      expect(decodePayload(encodePayload(value), "application/msgpack")).toEqual(value);
    }
  });
});
