/** Metadata survives its way through headers, whatever is in it. */
import type { Metadata } from "@troupe/core/log";
import fc from "fast-check";
import { expect, test } from "vitest";

import { headerBlock } from "./header-block.ts";
import { metadataLines, metadataOf } from "./metadata-headers.ts";

const scope = "agent.a.b:";

function roundTrip(metadata: Metadata): Metadata {
  return metadataOf(headerBlock(metadataLines(metadata, "Nats-Msg-Id", scope)).toString(), scope);
}

const token = fc.stringMatching(/^[!-~]{1,40}$/);
const text = fc.string({ minLength: 1, unit: "binary" });

test("any metadata comes back as it was", () => {
  const anyMetadata = fc.record<Metadata>(
    {
      id: token,
      message: token,
      topic: token,
      contentType: fc.constantFrom("application/msgpack", "application/json"),
      traceparent: token,
      tracestate: token,
      sender: text,
      causationId: token,
      correlationId: token,
      replyTo: token,
      deadlineMs: fc.nat(),
      callers: fc.array(text, { minLength: 1, maxLength: 5 }),
      askers: fc.array(text, { minLength: 1, maxLength: 5 }),
    },
    { requiredKeys: [] },
  );
  fc.assert(
    fc.property(anyMetadata, (metadata) => {
      expect(roundTrip(metadata)).toEqual(metadata);
    }),
  );
});

test.each(["\u00a0", "\u3000", "\ufeff", "\u2028"])("a key may end with the blank %j", (blank) => {
  const metadata = { sender: `book/${blank}a${blank}`, callers: [`book/${blank}a${blank}`] };
  expect(roundTrip(metadata)).toEqual(metadata);
});

test.each(["a\r\nNats-Rollup: all", "a\u00a0", "a\nb", "", " a", "a\u0000"])(
  "%j cannot be an id",
  (id) => {
    expect(() => metadataLines({ id }, "Nats-Msg-Id", "agent.a.b:")).toThrow("Nats-Msg-Id");
  },
);

test("headers of others are ignored, and odd values do no harm", () => {
  const block = headerBlock(
    "Nats-Batch-Id: b\r\nX-Other: 1\r\nTroupe-Deadline: soon\r\nTroupe-Sender: 100%\r\n" +
      "Content-Type: text/plain; charset=utf-8\r\n",
  );
  expect(metadataOf(block.toString())).toEqual({
    sender: "100%",
    contentType: "application/json",
    deadlineMs: undefined,
  });
  expect(metadataOf("")).toEqual({});
});
