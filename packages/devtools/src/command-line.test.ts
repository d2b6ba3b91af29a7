import fc from "fast-check";
import { expect, test } from "vitest";
import { parseDuration } from "./duration.ts";
import { deadPayloadValue } from "./payload-value.ts";
import { encodePayload } from "@troupe/core/log";

test.each([
  ["500ms", 500],
  ["30s", 30_000],
  ["1.5m", 90_000],
  ["2h", 7_200_000],
])("%s is %i milliseconds", (text, ms) => {
  expect(parseDuration(text)).toBe(ms);
});

test.each(["", "0s", "-1s", "10", "s", "1 day"])("%j is no duration", (text) => {
  expect(() => parseDuration(text)).toThrow("500ms, 30s or 2m");
});

test("the payload of a dead letter is read as its original said", () => {
  const letter = { inputPosition: 1, origin: "agent/a/b", failure, attempts: 1 };
  fc.assert(
    fc.property(fc.jsonValue(), (any) => {
      const value = JSON.parse(JSON.stringify(any)) as unknown;
      const json = Buffer.from(JSON.stringify(value));
      // The one key that MessagePack's decoder renames, so that nobody's prototype changes.
      fc.pre(!json.includes("__proto__"));
      expect(deadPayloadValue({ ...letter, payload: json })).toEqual(value);
      const packed = { ...letter, payload: encodePayload(value) };
      expect(deadPayloadValue({ ...packed, contentType: "application/msgpack" })).toEqual(value);
    }),
  );
  const broken = { ...letter, payload: Buffer.from("{broken") };
  expect(deadPayloadValue(broken)).toEqual({ text: "{broken" });
});

const failure = { code: "schema", message: "wrong", retryable: false };
