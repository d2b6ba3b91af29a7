/**
 * The format of the journal: entries that are written can be read, and no others (FORMAT-1,
 * FORMAT-2).
 */
import fc from "fast-check";
import { describe, expect, test } from "vitest";

import type { TurnRecord } from "@troupe/core/operate";
import { UndecodablePayloadError } from "@troupe/core/errors";
import { decodePayload, encodePayload } from "@troupe/core/log";
import { decodeJournalRecord, decodeRecord } from "./journal-record.ts";
import { encodeParkRecord } from "./park-record.ts";
import { encodeStepRecord } from "./step-record.ts";
import { encodeRecord } from "./turn-record-codec.ts";

const text = fc.string({ maxLength: 12 });
const hexDigits = Array.from({ length: 16 }, (_, digit) => digit.toString(16));
const hex = (length: number) =>
  fc.string({ unit: fc.constantFrom(...hexDigits), minLength: length, maxLength: length });
const count = fc.integer({ min: 1, max: 2 ** 40 });
/** Microseconds are kept. */
const ms = fc.integer({ min: 0, max: 2 ** 31 }).map((us) => us / 1000);
const atMs = fc.integer({ min: 1.5e12, max: 2e12 });
/** No value that is stored has such a property. */
const storable = fc
  .jsonValue({ maxDepth: 2 })
  .filter((each) => !JSON.stringify(each).includes("__proto__"));
const value = fc.oneof(storable, fc.constant(new Date(0)));
const digest = fc.option(text, { nil: undefined });
const optional = <Value>(of: fc.Arbitrary<Value>) => fc.option(of, { nil: undefined });
const traceparent = fc
  .tuple(hex(32), hex(16), hex(2))
  .map(([trace, span, flags]) => `00-${trace}-${span}-${flags}`);

const sent = fc.record(
  { to: text, id: text, message: text, digest: text },
  { requiredKeys: ["to", "id", "digest"] },
);
const step = fc.record({
  name: text,
  digest,
  use: count,
  order: count,
  value,
  tookMs: ms,
  startMs: ms,
  run: count,
  waitedMs: optional(ms.filter((each) => each > 0)),
  askedAt: optional(count),
});
const earlierRun = fc.record({
  run: count,
  code: text,
  message: text,
  startedAtMs: atMs,
  tookMs: ms,
  delayMs: fc.nat(),
  worker: text,
});
const failure = fc.record({ code: text, message: text, retryable: fc.boolean() });
const record: fc.Arbitrary<TurnRecord> = fc.record({
  turn: count,
  log: text,
  inputPosition: count,
  messageId: text,
  message: text,
  messageVersion: optional(count),
  topic: optional(text),
  sender: optional(text),
  batch: optional(fc.record({ traceparent, index: fc.nat(), size: count, startMs: fc.integer() })),
  events: fc.array(
    fc.oneof(
      fc.record({ type: text, data: value }),
      fc.record({ type: text, data: value, version: fc.integer({ min: 2, max: 9 }) }),
    ),
    { maxLength: 3 },
  ),
  stateVersion: optional(count),
  steps: optional(fc.array(step, { minLength: 1, maxLength: 3 })),
  unusedSteps: optional(
    fc.array(fc.record({ name: text, digest, use: count }), { minLength: 1, maxLength: 2 }),
  ),
  sent: fc.array(sent, { maxLength: 3 }),
  timers: optional(
    fc.array(fc.record({ id: text, atMs: optional(atMs), sends: optional(sent) }), {
      minLength: 1,
      maxLength: 2,
    }),
  ),
  digestKey: optional(text),
  reply: optional(value),
  failure: optional(failure),
  answering: optional(fc.constantFrom({ later: true }, { later: false, now: { replyTo: ["a"] } })),
  changed: optional(
    fc.constantFrom({ receive: ["payload" as const], payload: "x" }, { commit: [] }),
  ),
  attempts: fc.nat({ max: 9 }),
  earlierRuns: optional(fc.array(earlierRun, { minLength: 1, maxLength: 8 })),
  traceparent: fc.oneof(traceparent, text),
  parentSpan: fc.constant(undefined),
  tracestate: optional(text),
  link: optional(traceparent),
  worker: text,
  version: text,
  acceptedAtMs: atMs,
  receivedAtMs: atMs,
  activatedAtMs: optional(atMs),
  firstStartedAtMs: optional(atMs),
  startedAtMs: atMs,
  tookMs: ms,
});

type Wire = Readonly<Record<string, unknown>>;

function changed(bytes: Uint8Array, change: (wire: Wire) => Wire): Uint8Array {
  return encodePayload(change(decodePayload(bytes, "application/msgpack") as Wire));
}

const small = encodeRecord({
  turn: 1,
  log: "log",
  inputPosition: 7,
  messageId: "@7",
  message: "add",
  events: [{ type: "added", data: 5 }],
  sent: [{ to: "agent/a/b", id: "1", digest: "d" }],
  attempts: 1,
  traceparent: `00-${"1".repeat(32)}-${"2".repeat(16)}-01`,
  parentSpan: "3".repeat(16),
  worker: "w",
  version: "1.0.0",
  acceptedAtMs: 1.7e12,
  receivedAtMs: 1.7e12 + 3,
  startedAtMs: 1.7e12 + 3,
  tookMs: 0.25,
});
const steps = encodeStepRecord({ log: "log", inputPosition: 7, steps: [], worker: "w" });
const park = encodeParkRecord({
  log: "log",
  parked: true,
  inputPosition: 7,
  attempts: 2,
  worker: "w",
});
const kinds = [
  ["turn", small],
  ["steps", steps],
  ["park", park],
] as const;

test("a turn record comes back as it was written", () => {
  fc.assert(
    fc.property(record, (written) => {
      expect(decodeRecord(encodeRecord(written))).toEqual(written);
    }),
    { numRuns: 300 },
  );
});

test("the span of its message comes back with a trace of ours", () => {
  expect(decodeRecord(small)).toMatchObject({ parentSpan: "3".repeat(16), messageId: "@7" });
});

test("step and park records come back as they were written", () => {
  const about = { log: text, inputPosition: count, worker: text };
  const written = fc.record({
    ...about,
    steps: fc.array(step, { maxLength: 3 }),
    digestKey: optional(text),
    startedAtMs: optional(atMs),
    earlierRuns: optional(fc.array(earlierRun, { minLength: 1, maxLength: 3 })),
    begun: optional(text),
    ended: optional(text),
  });
  const parked = fc.record({
    ...about,
    parked: fc.boolean(),
    failure: optional(failure),
    attempts: fc.nat(),
    earlierRuns: optional(fc.array(earlierRun, { minLength: 1, maxLength: 3 })),
  });
  fc.assert(
    fc.property(written, parked, (one, other) => {
      expect(decodeJournalRecord(encodeStepRecord(one))).toEqual({ kind: "steps", steps: one });
      expect(decodeJournalRecord(encodeParkRecord(other))).toEqual({ kind: "park", park: other });
    }),
  );
});

describe.each(kinds)("a record of the kind %s", (_, bytes) => {
  test("is read with fields that nobody knows yet", () => {
    const more = changed(bytes, (wire) => ({ ...wire, zz: { new: [1] } }));
    expect(decodeJournalRecord(more)).toEqual(decodeJournalRecord(bytes));
  });

  test("is refused wherever it is cut off", () => {
    for (let end = 0; end < bytes.byteLength; end++) {
      expect(() => decodeJournalRecord(bytes.subarray(0, end))).toThrow(UndecodablePayloadError);
    }
  });

  test("is refused as newer with a higher format, and with a kind that nobody knows yet", () => {
    for (const newer of [{ v: 2 }, { kind: "unheard-of" }, { kind: "toString" }]) {
      const read = (): unknown =>
        decodeJournalRecord(changed(bytes, (wire) => ({ ...wire, ...newer })));
      expect(read).toThrow(UndecodablePayloadError);
      expect(read).toThrow(/update Troupe/);
    }
  });

  test("is refused without what every one has", () => {
    const always = ["n", "l", "i", "m", "w", "c", "t", "at", "q", "k"];
    const has = Object.keys(decodePayload(bytes, "application/msgpack") as Wire);
    for (const name of always.filter((each) => has.includes(each))) {
      const without = changed(bytes, ({ [name]: _left, ...wire }) => wire);
      expect(() => decodeJournalRecord(without)).toThrow(UndecodablePayloadError);
    }
  });
});

test("whatever else lies in a journal is refused", () => {
  for (const odd of [null, 5, "text", [1], {}, { v: 1 }]) {
    expect(() => decodeJournalRecord(encodePayload(odd))).toThrow(UndecodablePayloadError);
  }
});

/** Measured against the format before: 193 bytes without what is new in this one. */
test("a small turn's record is small", () => {
  expect(small.byteLength).toBeLessThan(160);
});
