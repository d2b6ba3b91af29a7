/** Conditions under which a turn may store its messages after its record. */
import { expect, test } from "vitest";

import type { InputDraft } from "../../definition/message/input.ts";
import { keyToToken } from "../../definition/message/key-token.ts";
import { partitionOfToken } from "../../definition/message/partition.ts";
import { createMemoryBroker } from "@troupe/testing";
import { mayDispatch } from "./dispatch.ts";

const log = createMemoryBroker({ limits: { dispatchMax: 3 } }).connect();
const ofPartition = Map.groupBy(
  Array.from({ length: 1000 }, (_, index) => `key-${index}`),
  (key) => partitionOfToken(keyToToken(key), log.partitions),
);
const [one = "", same = ""] = ofPartition.get(1) ?? [];
const [two = ""] = ofPartition.get(2) ?? [];
const [three = ""] = ofPartition.get(3) ?? [];
const [four = ""] = ofPartition.get(4) ?? [];

test.each([
  ["one message", [one], true],
  ["messages into different partitions", [one, two, three], true],
  ["nothing", [], false],
  ["two into one partition, whose order counts (R5)", [one, same], false],
  ["two to one agent", [one, one], false],
  ["more than the log takes well", [one, two, three, four], false],
])("%s", (_, keys, expected) => {
  const outgoing = keys.map((key) => sent(key));
  expect(mayDispatch(turnThat({ outgoing }))).toBe(expected);
});

test("large messages are stored once, with their record", () => {
  expect(mayDispatch(turnThat({ outgoing: [sent(one, 30_000), sent(two, 30_000)] }))).toBe(true);
  expect(mayDispatch(turnThat({ outgoing: [sent(one, 40_000), sent(two, 40_000)] }))).toBe(false);
});

test("a turn with which its agent ends is stored with its base record, in a batch", () => {
  expect(mayDispatch(turnThat({ outgoing: [sent(one)], ends: "begin-again" }))).toBe(false);
});

test("a message that was read back for a parked agent keeps no floor below (R4)", () => {
  const delivery = { waits: true };
  expect(mayDispatch(turnThat({ outgoing: [sent(one)], delivery }))).toBe(false);
});

function turnThat(sends: object): Parameters<typeof mayDispatch>[0] {
  const agent = { type: "sender", key: "a" };
  const turn = { agent, delivery: {}, ends: undefined, host: { log }, seat: undefined, timers: [] };
  return { ...turn, ...sends } as unknown as Parameters<typeof mayDispatch>[0];
}

function sent(key: string, bytes = 10): InputDraft {
  const address = { kind: "agent", name: "receiver", key } as const;
  return { address, metadata: {}, payload: new Uint8Array(bytes) };
}
