/** All that a record says, a line each. */
import { expect, test } from "vitest";

import type { JournaledTurn } from "@troupe/core/operate";
import { turnDetails } from "./turn-details.ts";

const link = "00-11111111111111111111111111111111-2222222222222222-01";

const turn: JournaledTurn = {
  revision: 7,
  committedAtMs: 0,
  steps: [
    {
      name: "charge",
      digest: "vEYuf-nNJck",
      use: 2,
      order: 1,
      value: "receipt",
      tookMs: 52,
      startMs: 27,
      run: 1,
      waitedMs: 3,
    },
    {
      name: "~ask",
      digest: undefined,
      use: 1,
      order: 2,
      value: 7,
      tookMs: 1,
      startMs: 2,
      run: 2,
      askedAt: 4,
    },
  ],
  record: {
    turn: 1,
    log: "rY1voR5t",
    inputPosition: 1,
    messageId: "m",
    message: "buy",
    batch: { traceparent: link, index: 2, size: 5, startMs: 1 },
    events: [],
    sent: [
      { to: "agent/stock/lamp", id: "shop@1:0", message: "take", digest: "d1" },
      { to: "topic/orders/a", id: "shop@1:1", digest: "d2" },
    ],
    timers: [
      {
        id: "beat",
        everyMs: 2000,
        sends: { to: "agent/a/b", id: "x", message: "go", digest: "d3" },
      },
      { id: "old" },
    ],
    changed: { receive: ["payload"], commit: ["events"] },
    attempts: 2,
    earlierRuns: [
      { run: 1, code: "boom", message: "no", startedAtMs: 5, tookMs: 2, delayMs: 80, worker: "w0" },
    ],
    traceparent: link,
    link,
    worker: "w1",
    version: "1.4.2",
    acceptedAtMs: 0,
    receivedAtMs: 10,
    activatedAtMs: 12,
    firstStartedAtMs: 15,
    startedAtMs: 100,
    tookMs: 1.5,
  },
};

test("times, batch, failed runs, steps, messages, timers, interceptors, trace and code", () => {
  const lines = turnDetails(turn).map((line) => line.replaceAll(/\d\d:\d\d:\d\d\.\d{3}/g, "TIME"));
  expect(lines).toEqual([
    "accepted TIME · received after 10 ms · journal read after 2 ms · started after 5 ms · run 2 after 85 ms · took 1.5 ms",
    "batch: message 3 of 5",
    "run 1 failed at TIME after 2 ms, again after 80 ms, w0: boom: no",
    'step charge vEYuf-nNJck #2 "receipt" · from 27 ms, took 52 ms · waited 3 ms for limits',
    "step ~ask 7 · from 2 ms in run 2, took 1 ms · its message is at 4",
    "sent agent/stock/lamp take · at 8 · shop@1:0 · d1",
    "sent topic/orders/a · at 9 · shop@1:1 · d2",
    "timer beat every 2.0 s for agent/a/b go",
    "timer old cancelled",
    "changed by interceptors: payload (receive), events (commit)",
    `trace ${link}, continues ${link}`,
    "code 1.4.2 at w1, log rY1voR5t",
  ]);
});
