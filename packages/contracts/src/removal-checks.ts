/** Removal on purpose (LOG-11), and how it is told from a loss of the log (I16). */
import assert from "node:assert/strict";

import type { Log, Mark } from "@troupe/core/log";
import { lowWater, raiseLowWater, wasRemoved, fitsLog } from "@troupe/core/log";
import {
  account,
  bytes,
  keysOfPartition,
  partitionOf,
  range,
  text,
  toAccount,
  toInquiries,
  turn,
} from "./drafts.ts";
import type { LogCheck } from "./log-harness.ts";
import { collect, everything, wholeJournal } from "./observe.ts";

export const removalChecks: readonly LogCheck[] = [
  {
    name: "LOG-11: records before one of the journal's own go, and its neighbours' stay",
    async run(harness) {
      const [log, other] = [await harness.connect(), await harness.connect()];
      const revisions = await journalOf(log, "alice", 5);
      await journalOf(log, "bob", 3);
      const [, , third = 0] = revisions;
      assert.equal(await log.truncateJournal(account("alice"), third), 2);
      const left = await wholeJournal(other, account("alice"));
      assert.deepEqual(
        left.map(({ revision }) => revision),
        revisions.slice(2),
      );
      assert.equal((await wholeJournal(other, account("bob"))).length, 3);
      assert.equal(await log.truncateJournal(account("alice"), third), 0);
      assert.equal(await other.at(revisions[0] ?? 0), undefined);
    },
  },
  {
    name: "LOG-11: the last record always stays, and it is still the fence",
    async run(harness) {
      const log = await harness.connect();
      const revisions = await journalOf(log, "alice", 3);
      const { position } = await log.accept(toAccount("alice", "not a record"));
      const [bobs = 0] = await journalOf(log, "bob", 1);
      const last = revisions.at(-1) ?? 0;
      for (const before of [-1, 0, position, bobs, bobs + 100]) {
        await assert.rejects(
          async () => log.truncateJournal(account("alice"), before),
          (thrown: { readonly code?: string }) => thrown.code === "log-refused",
        );
      }
      assert.equal((await wholeJournal(log, account("alice"))).length, 3);
      assert.equal(await log.truncateJournal(account("alice"), last), 2);
      await assert.rejects(log.commit([turn("alice", 0)]));
      const [next = 0] = await log.commit([turn("alice", last)]);
      assert.ok(next > last);
    },
  },
  {
    name: "LOG-11: records of all agents of a type go up to a position, and nothing else does",
    async run(harness) {
      const [log, other] = [await harness.connect(), await harness.connect()];
      const [one = "", two = ""] = keysOfPartition(log, 0, 2);
      const first = await journalOf(log, one, 3);
      await journalOf(log, two, 2);
      const { position } = await log.accept(toAccount(one, "stays"));
      const agent = { type: "accounts", key: one };
      const [others = 0] = await log.commit([{ ...turn(one, 0), agent }]);
      const [last = 0] = await log.commit([turn(one, first.at(-1) ?? 0)]);
      const [next = 0] = await log.commit([turn(two, (await lastOf(log, two)) ?? 0)]);
      assert.equal(await log.truncateJournals("account", last), 5);
      assert.equal(await log.truncateJournals("account", last), 0);
      assert.equal(await log.truncateJournals("account", 0), 0);
      const left = [account(one), account(two), agent].map((each) => wholeJournal(other, each));
      const revisions = (await Promise.all(left)).flat().map(({ revision }) => revision);
      assert.deepEqual(revisions, [last, next, others]);
      assert.ok((await other.input(position)) !== undefined);
      await assert.rejects(log.commit([turn(two, 0)]), "the fence stays");
    },
  },
  {
    name: "LOG-11: inputs of one address go up to a position, and nothing else does",
    async run(harness) {
      const [log, other] = [await harness.connect(), await harness.connect()];
      const first = await log.accept(toAccount("alice", "first"));
      await log.accept(toAccount("bob", "bob's"));
      await log.accept(toInquiries("alice", "published"));
      await journalOf(log, "alice", 1);
      const second = await log.accept(toAccount("alice", "second"));
      const place = { kind: "agent", name: "account", key: "alice" } as const;
      assert.equal(await log.removeInputs(place, second.position), 1);
      assert.equal(await log.removeInputs(place, second.position), 0);
      assert.equal(await log.removeInputs(place, 0), 0);
      assert.equal(await other.input(first.position), undefined);
      const left = await other.inputsOf(account("alice"), ["inquiries"], 0, 1e9, { firm: true });
      assert.deepEqual(
        left.map(({ payload }) => text(payload)),
        ["published", "second"],
      );
      assert.equal((await everything(other)).length, 4);
    },
  },
  {
    name: "LOG-11: all publications of a topic go up to a position",
    oneShard: true,
    async run(harness) {
      const log = await harness.connect();
      for (const each of range(6)) await log.accept(toInquiries(`source-${each}`, `${each}`));
      const last = await log.accept(toInquiries("source-0", "stays"));
      await log.accept(toAccount("alice", "stays too"));
      const place = { kind: "topic", name: "inquiries" } as const;
      assert.equal(await log.removeInputs(place, last.position), 6);
      const kinds = (await everything(log)).map((entry) =>
        entry.kind === "input" ? text(entry.input.payload) : entry.kind,
      );
      assert.deepEqual(kinds, ["stays", "stays too"]);
    },
  },
  {
    name: "LOG-11: a reader passes over what was removed and hands over what comes after it",
    async run(harness) {
      const log = await harness.connect();
      const [key = ""] = keysOfPartition(log, 0, 1);
      const place = { kind: "agent", name: "account", key } as const;
      for (const each of range(5)) await log.accept(toAccount(key, `old ${each}`));
      const next = await log.accept(toAccount(key, "next"));
      await log.removeInputs(place, next.position);
      const late = collect(harness, log, { source: 0 });
      await late.has(1);
      await log.accept(toAccount(key, "last"));
      await late.has(2);
      assert.deepEqual(late.contents(), ["next", "last"]);
      await late.reader.stop();
    },
  },
  {
    name: "LOG-11: the first input of a partition, of a type or of a topic is found",
    async run(harness) {
      const log = await harness.connect();
      const partition = partitionOf(log, "alice");
      assert.equal(await log.firstInput(partition, 0), undefined);
      const sent = await log.accept(toAccount("alice", "sent"));
      const published = await log.accept(toInquiries("alice", "published"));
      const topic = { kind: "topic", name: "inquiries" } as const;
      assert.equal(await log.firstInput(partition, 0), sent.position);
      assert.equal(await log.firstInput(partition, 0, topic), published.position);
      assert.equal(await log.firstInput(partition, sent.position), published.position);
      assert.equal(await log.firstInput(partition, published.position), undefined);
      assert.equal(await log.firstInput((partition + 1) % log.partitions, 0), undefined);
      const agents = { kind: "agent", name: "account" } as const;
      await log.removeInputs(agents, published.position);
      assert.equal(await log.firstInput(partition, 0, agents), undefined);
    },
  },
  {
    name: "I16: a mark on what was removed fits below the low-water mark, and only there",
    async run(harness) {
      const [log, other] = [await harness.connect(), await harness.connect()];
      const revisions = await journalOf(log, "alice", 4);
      // As after a restore, which makes the stream anew.
      const before = async (revision: number): Promise<Mark> => ({
        ...(await markAt(log, revision)),
        log: "the stream of before",
      });
      const marks = await Promise.all(revisions.map(before));
      const [first, second, third] = marks;
      assert.ok(first !== undefined && second !== undefined && third !== undefined);
      await log.truncateJournal(account("alice"), third.position);
      assert.ok(!(await fitsLog(other, first)), "nobody said that it was on purpose");
      await raiseLowWater(log, third);
      assert.ok(await fitsLog(other, first));
      assert.ok(await fitsLog(other, third));
      assert.ok(!(await fitsLog(other, { ...third, position: third.position + 100 })));
      assert.ok(await wasRemoved(other, second.position));
      assert.ok(!(await wasRemoved(other, third.position)));
    },
  },
  {
    name: "I16: the low-water mark never falls, whoever raises it, and counts only while it stands",
    async run(harness) {
      const [log, other] = [await harness.connect(), await harness.connect()];
      const [first = 0, , third = 0, last = 0] = await journalOf(log, "alice", 4);
      const [low, high] = [await markAt(log, third), await markAt(log, last)];
      await Promise.all([raiseLowWater(log, high), raiseLowWater(other, low)]);
      assert.equal((await raiseLowWater(other, low)).below, last);
      assert.equal((await lowWater(log))?.below, last);
      const lost: Mark = { ...high, position: last + 1, storedAtMs: high.storedAtMs + 1 };
      await raiseLowWater(log, lost);
      assert.ok(!(await wasRemoved(other, first)), "its own mark is not on the log");
      await raiseLowWater(other, high);
      assert.ok(await wasRemoved(other, first));
    },
  },
];

async function journalOf(log: Log, key: string, count: number): Promise<readonly number[]> {
  const revisions: number[] = [];
  for (const each of range(count)) {
    const record = bytes(`record ${each} of ${key}`);
    const [revision = 0] = await log.commit([turn(key, revisions.at(-1) ?? 0, { record })]);
    revisions.push(revision);
  }
  return revisions;
}

async function lastOf(log: Log, key: string): Promise<number | undefined> {
  return (await wholeJournal(log, account(key))).at(-1)?.revision;
}

async function markAt(log: Log, position: number): Promise<Mark> {
  const { log: identity } = await log.end();
  return { log: identity, position, storedAtMs: (await log.at(position))?.storedAtMs ?? 0 };
}
