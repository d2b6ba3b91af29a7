import fc from "fast-check";
import { expect, test } from "vitest";
import { parseDuration } from "./duration.ts";
import { untypedPayloadValue } from "./payload-value.ts";
import { serverAddress } from "./server-address.ts";
import { encodePayload } from "@troupe/core";

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

test("credentials inside a server address are taken out", () => {
  expect(serverAddress("nats://a:4222, b:4222")).toEqual({ servers: ["nats://a:4222", "b:4222"] });
  expect(serverAddress("tls://ann:p%40ss@a:4222,tls://b:4222")).toEqual({
    servers: ["tls://a:4222", "tls://b:4222"],
    user: "ann",
    password: "p@ss",
  });
  expect(serverAddress("t0ken@[::1]:4222")).toEqual({ servers: ["[::1]:4222"], token: "t0ken" });
});

test("a payload without a content type is read as what it is", () => {
  fc.assert(
    fc.property(fc.jsonValue(), (value) => {
      const json = JSON.stringify(value);
      fc.pre(json.length > 1);
      expect(untypedPayloadValue(Buffer.from(json))).toEqual(JSON.parse(json));
      const packed = encodePayload(JSON.parse(json));
      fc.pre(packed.byteLength > 1);
      expect(untypedPayloadValue(packed)).toEqual(JSON.parse(json));
    }),
  );
  expect(untypedPayloadValue(Buffer.from("{broken"))).toEqual({ text: "{broken" });
});
