/**
 * Readers for some agent types and topics: nothing of theirs is left out, in one order, and they
 * say how far there is nothing more, never further (LOG-3).
 */
import assert from "node:assert/strict";

import type { Input, InputDraft, Position } from "@troupe/core/log";
import { bytes, partitionOf, range, text, toAccount, toInquiries } from "./drafts.ts";
import type { LogCheck } from "./log-harness.ts";
import { collect } from "./observe.ts";
import { until } from "./until.ts";

/** A message for an agent of a type that nobody here asks for. */
function toOthers(i: number): InputDraft {
  const name = `other-${i % 9}`;
  return { address: { kind: "agent", name, key: "alice" }, metadata: {}, payload: bytes("other") };
}

const alices = { types: ["account"], topics: ["inquiries"] } as const;

export const narrowReaderChecks: readonly LogCheck[] = [
  {
    name: "a reader for some types and topics gets all of theirs in one order, among many others",
    async run(harness) {
      const [log, other] = [await harness.connect(), await harness.connect()];
      const source = partitionOf(log, "alice");
      const early = collect(harness, log, { source, ...alices });
      const both = range(600).map((i) =>
        i % 3 > 0
          ? other.accept(toOthers(i))
          : log.accept(i % 2 === 0 ? toAccount("alice", `${i}`) : toInquiries("alice", `${i}`)),
      );
      const accepted = (await Promise.all(both)).filter((_, i) => i % 3 === 0);
      // One that begins when most is there, and one that sees it come.
      const late = collect(harness, other, { source, ...alices });
      const more = await Promise.all(
        range(300).flatMap((i) => [
          log.accept(toInquiries("alice", `more ${i}`)),
          other.accept(toOthers(i)),
        ]),
      );
      const wanted = [...accepted, ...more.filter((_, i) => i % 2 === 0)];
      const positions = wanted.map(({ position }) => position).toSorted((a, b) => a - b);
      for (const { inputs } of [early, late]) {
        const own = (): Position[] => inputs.filter(isForAlice).map((input) => input.position);
        await until(harness, "all are handed over", () => own().length >= positions.length);
        assert.deepEqual(own(), positions);
      }
    },
  },
  {
    name: "a reader for some types says how far there is nothing more of theirs, and no further",
    async run(harness) {
      const [log, other] = [await harness.connect(), await harness.connect()];
      const source = partitionOf(log, "alice");
      const handed: Position[] = [];
      const passed: { readonly upTo: Position; readonly had: number }[] = [];
      const reader = log.read({
        source,
        types: ["account"],
        topics: [],
        after: 0,
        credit: 1000,
        onInput: (input) => {
          if (isForAlice(input)) handed.push(input.position);
        },
        onPassed: (upTo) => passed.push({ upTo, had: handed.length }),
      });
      const accepted: Position[] = [];
      const rare = async (i: number): Promise<void> => {
        accepted.push((await log.accept(toAccount("alice", `${i}`))).position);
      };
      for (const i of range(3)) {
        const others = range(40).map((j) => other.accept(toOthers(j)));
        await Promise.all([...others, rare(i)]);
        const { position } = await other.accept(toOthers(i));
        const isPassed = (): boolean => passed.some(({ upTo }) => upTo >= position);
        await until(harness, `${position} is passed`, isPassed);
      }
      await reader.stop();
      assert.deepEqual(handed, accepted);
      for (const { had, upTo } of passed) {
        const before = accepted.filter((position) => position <= upTo).length;
        assert.ok(had >= before, `${upTo} was passed with ${had} of ${before} inputs`);
      }
    },
  },
  {
    name: "a reader for a type that does not exist yet gets its first input",
    async run(harness) {
      const log = await harness.connect();
      const source = partitionOf(log, "alice");
      for (const i of range(20)) await log.accept(toOthers(i));
      const reader = collect(harness, log, { source, types: ["account"], topics: [] });
      await log.accept(toAccount("alice", "first"));
      const isThere = (): boolean => reader.inputs.some(isForAlice);
      await until(harness, "the first input is handed over", isThere);
      assert.deepEqual(
        reader.inputs.filter(isForAlice).map(({ payload }) => text(payload)),
        ["first"],
      );
    },
  },
];

function isForAlice({ address }: Input): boolean {
  const names: readonly string[] = address.kind === "agent" ? alices.types : alices.topics;
  return names.includes(address.name);
}
