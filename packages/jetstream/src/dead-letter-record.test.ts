/** Dead letters in headers and a body. */
import { MsgHdrsImpl } from "@nats-io/nats-core";
import type { DeadLetter } from "@troupe/core/log";
import { expect, test } from "vitest";

import { deadLetterMessage, deadLetterOf } from "./dead-letter-record.ts";
import { headerBlock } from "./header-block.ts";

const letter: DeadLetter = {
  agent: { type: "account", key: "größe/a b,c\r\n" },
  inputPosition: 42,
  origin: "topic/inquiries/größe\r\n",
  failure: { code: "schema", message: "line one\nline two", retryable: false, details: { a: [1] } },
  attempts: 3,
  payload: Buffer.from("original"),
  contentType: "application/msgpack",
};

test("a dead letter whose original said no content type says none", () => {
  expect(roundTrip({ ...letter, contentType: undefined })).not.toHaveProperty("contentType");
});

function roundTrip(deadLetter: DeadLetter, payloadBytesMax = 1000): DeadLetter | undefined {
  const { lines, payload } = deadLetterMessage(deadLetter, payloadBytesMax);
  expect(payload.length).toBeGreaterThan(0);
  expect(Buffer.byteLength(lines)).toBeLessThan(16_000);
  return deadLetterOf(MsgHdrsImpl.decode(headerBlock(lines)), payload);
}

test("a dead letter comes back as it was", () => {
  expect(roundTrip(letter)).toEqual(letter);
});

test("an empty payload stays empty", () => {
  expect(roundTrip({ ...letter, payload: Buffer.alloc(0) })?.payload).toHaveLength(0);
});

test("a payload that would not fit is left out; the position says where it is", () => {
  const large = roundTrip({ ...letter, payload: Buffer.alloc(1001) });
  expect(large).toMatchObject({ inputPosition: 42, payload: { length: 0 } });
});

test("a failure that is too long keeps its code and message, and says what was shortened", () => {
  const details = { dump: "ö".repeat(20_000) };
  const { failure } = roundTrip({ ...letter, failure: { ...letter.failure, details } }) ?? {};
  expect(failure).toMatchObject({
    code: "schema",
    message: "line one\nline two",
    details: { omitted: { dump: "shortened from 20000 characters" } },
  });
  const message = "ö".repeat(20_000);
  expect(roundTrip({ ...letter, failure: { ...letter.failure, message } })?.failure.code).toBe(
    "schema",
  );
});

test("details that are no JSON are left out", () => {
  const details: Record<string, unknown> = { big: 1n };
  const { failure } = roundTrip({ ...letter, failure: { ...letter.failure, details } }) ?? {};
  expect(failure?.message).toBe("line one\nline two");
});

test("a message without our headers is no dead letter", () => {
  expect(deadLetterOf(undefined, Buffer.alloc(1))).toBeUndefined();
  expect(
    deadLetterOf(MsgHdrsImpl.decode(headerBlock("X: 1\r\n")), Buffer.alloc(1)),
  ).toBeUndefined();
});
