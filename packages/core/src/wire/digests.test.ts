import { createHmac, randomBytes } from "node:crypto";

import fc from "fast-check";
import { expect, test } from "vitest";

import { createMemoryBroker } from "@troupe/testing";
import { digestKeyOf } from "../log/digest-key.ts";
import { canonicalBytes } from "./canonical.ts";
import { digestsOf } from "./digests.ts";

const key = randomBytes(32);
/** No value that is stored has such a property. */
const storable = fc.jsonValue().filter((each) => !JSON.stringify(each).includes("__proto__"));
const digests = digestsOf(key);

test("a digest is the first 8 bytes of HMAC-SHA-256 over the canonical form", () => {
  const values = fc.oneof(storable, fc.string({ minLength: 200 }), fc.uint8Array());
  fc.assert(
    fc.property(values, (value) => {
      const expected = createHmac("sha256", key).update(canonicalBytes(value)).digest();
      expect(digests.of(value)).toBe(expected.subarray(0, 8).toString("base64url"));
    }),
  );
});

test("the order of properties is chance, that of elements is not", () => {
  const same = [
    { a: 1, b: { c: [2], d: 3 } },
    { b: { d: 3, c: [2] }, a: 1 },
  ];
  expect(new Set(same.map((each) => digests.of(each))).size).toBe(1);
  const others = [[1, 2], [2, 1], { a: 1 }, { a: 1, b: undefined, c: null }, 0, -0, "0", null];
  expect(new Set(others.map((each) => digests.of(each))).size).toBe(others.length);
});

test("another key makes other digests, and says so", () => {
  const other = digestsOf(randomBytes(32));
  expect(other.of("a")).not.toBe(digests.of("a"));
  expect(other.keyId).not.toBe(digests.keyId);
});

test("all processes of a namespace come to one key, also when they begin at once", async () => {
  const broker = createMemoryBroker({ partitions: 1 });
  const logs = ["a", "b", "c"].map((name) => broker.connect(name));
  const keys = await Promise.all(logs.map((log) => digestKeyOf(log)));
  expect(new Set(keys.map((each) => Buffer.from(each).toString("hex"))).size).toBe(1);
  expect(keys[0]?.byteLength).toBe(32);
  const elsewhere = await digestKeyOf(createMemoryBroker({ partitions: 1 }).connect());
  expect(elsewhere).not.toEqual(keys[0]);
});
