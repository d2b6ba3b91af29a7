/** A turn in one line. */
import { expect, test } from "vitest";

import type { TurnRecord } from "@troupe/core/operate";
import { turnSummary } from "./turn-summary.ts";

const record: TurnRecord = {
  turn: 1,
  inputPosition: 1,
  messageId: "m",
  message: "deposit",
  events: [],
  sent: [],
  log: "",
  receivedAtMs: 0,
  attempts: 1,
  traceparent: "",
  worker: "w",
  version: "v",
  acceptedAtMs: 0,
  startedAtMs: 0,
  tookMs: 0,
};

test("events are shown as they were recorded, with their version from the second one on", () => {
  const events = [
    { type: "deposited", data: 5 },
    { type: "deposited", data: { cents: 500 }, version: 2 },
  ];
  expect(turnSummary({ ...record, events })).toBe(
    'deposit · deposited 5 · deposited@2 {"cents":500}',
  );
});
