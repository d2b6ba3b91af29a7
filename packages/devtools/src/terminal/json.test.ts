import { printable } from "@troupe/core/operate";
import fc from "fast-check";
import { expect, test } from "vitest";
import { toJson } from "./json.ts";

test("values that JSON does not know are shown", () => {
  const value = {
    bytes: Uint8Array.of(1, 2),
    buffer: Buffer.from("ab"),
    big: 12n,
    map: new Map([["a", 1]]),
    set: new Set([1]),
  };
  expect(toJson(value)).toBe('{"bytes":"AQI=","buffer":"YWI=","big":"12","map":{"a":1},"set":[1]}');
  expect(toJson(undefined)).toBe("null");
});

test("JSON stays the same value without any control character", () => {
  fc.assert(
    fc.property(fc.jsonValue(), fc.constantFrom(0, 2), (value, indent) => {
      const text = toJson(value, indent);
      expect(JSON.parse(text)).toEqual(JSON.parse(JSON.stringify(value)));
      expect(printable(text.replaceAll("\n", ""))).toBe(text.replaceAll("\n", ""));
    }),
  );
  expect(toJson("\u009b2J\u202e")).toBe(String.raw`"\u009b2J\u202e"`);
});

test("shows numbers that JSON does not have, and Maps by their keys", () => {
  expect(toJson([Number.NaN, -Infinity, 0])).toBe('["NaN","-Infinity",0]');
  expect(toJson(new Map([["a", new Set([1])]]))).toBe('{"a":[1]}');
  expect(toJson(new Map<unknown, unknown>([[1, "one"]]))).toBe('[[1,"one"]]');
});
