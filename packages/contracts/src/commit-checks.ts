/** Commits: all or nothing (LOG-2, I3), only on the expected revision (I5). */
import assert from "node:assert/strict";

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
import { deadLetterAt } from "./dead-letter-checks.ts";
import type { LogCheck } from "./log-harness.ts";
import {
  collect,
  errorCode,
  everything,
  inputsBesides,
  rejectsWith,
  wholeJournal,
} from "./observe.ts";

export const commitChecks: readonly LogCheck[] = [
  {
    name: "a commit stores the record and what the turn sends",
    async run(harness) {
      const log = await harness.connect();
      const metadata = { id: "out-1", sender: "account/alice", causationId: "in-1" };
      const outgoing = [toInquiries("bob", "published", metadata), toAccount("bob", "sent")];
      const record = Uint8Array.from(range(256));
      const [revision] = await log.commit([turn("alice", 0, { record, outgoing })]);
      const [entry] = await wholeJournal(log, account("alice"));
      assert.equal(entry?.revision, revision);
      assert.deepEqual([...(entry?.record ?? [])], [...record]);
      const other = await harness.connect();
      const collector = collect(harness, other, { source: partitionOf(log, "bob") });
      await collector.has(2);
      assert.deepEqual(collector.contents(), ["published", "sent"]);
      const [published] = collector.inputs;
      assert.deepEqual({ ...published?.address }, outgoing[0]?.address);
      assert.equal(published?.metadata.id, "out-1");
      assert.equal(published?.metadata.sender, "account/alice");
      assert.equal(published?.metadata.causationId, "in-1");
    },
  },
  {
    name: "the positions a commit returns are the revisions in the journals",
    oneShard: true,
    async run(harness) {
      const log = await harness.connect();
      const keys = ["a", "b", "c"];
      const outgoing = [toAccount("x", "1"), toAccount("y", "2")];
      const first = await log.commit(keys.map((key) => turn(key, 0, { outgoing })));
      const second = await log.commit(keys.map((key, i) => turn(key, first[i] ?? 0)));
      for (const [i, key] of keys.entries()) {
        const revisions = (await wholeJournal(log, account(key))).map((entry) => entry.revision);
        assert.deepEqual(revisions, [first[i], second[i]]);
      }
    },
  },
  {
    name: "what a turn sends lies right behind its record, in order, also in a chain",
    oneShard: true,
    async run(harness) {
      const log = await harness.connect();
      const outgoing = [toAccount("x", "1"), toInquiries("y", "2"), toAccount("x", "3")];
      const more = { outgoing };
      const commit = [turn("alice", 0, more), turn("bob", 0, more), turn("alice", "chained", more)];
      for (const revision of await log.commit(commit)) {
        for (const [index, { address, payload }] of outgoing.entries()) {
          const there = await log.input(revision + 1 + index, { firm: true });
          assert.deepEqual({ ...there?.address }, address);
          assert.equal(text(there?.payload ?? bytes("")), text(payload));
        }
      }
    },
  },
  {
    name: "an empty commit stores nothing",
    async run(harness) {
      const log = await harness.connect();
      assert.deepEqual(await log.commit([]), []);
      assert.deepEqual(await everything(log), []);
    },
  },
  {
    name: "a stale revision is a conflict and stores nothing",
    async run(harness) {
      const log = await harness.connect();
      const [first = 0] = await log.commit([turn("alice", 0)]);
      const [second = 0] = await log.commit([turn("alice", first)]);
      for (const stale of [0, first, first - 1, second + 1]) {
        await rejectsWith(log.commit([turn("alice", stale)]), "revision-conflict");
      }
      await rejectsWith(log.commit([turn("bob", second)]), "revision-conflict");
      assert.equal((await wholeJournal(log, account("alice"))).length, 2);
      assert.deepEqual(await wholeJournal(log, account("bob")), []);
    },
  },
  {
    name: "a conflict stores nothing of the other turns of its commit, nor what they send",
    oneShard: true,
    async run(harness) {
      const log = await harness.connect();
      const [first = 0] = await log.commit([turn("alice", 0)]);
      await log.commit([turn("alice", first)]);
      const [receiver = ""] = keysOfPartition(log, 3, 1);
      const outgoing = [toAccount(receiver, "from a turn in conflict")];
      const deadLetter = deadLetterAt(first);
      const stale = turn("alice", first, { outgoing });
      const good = [turn("bob", 0, { outgoing, deadLetter }), turn("carol", 0, { outgoing })];
      const before = (await everything(log)).length;
      await rejectsWith(log.commit([...good, stale]), "revision-conflict");
      await rejectsWith(log.commit([stale, ...good]), "revision-conflict");
      assert.equal((await everything(log)).length, before);
      assert.deepEqual(await wholeJournal(log, account("bob")), []);
      const source = { partition: 3, key: receiver };
      assert.deepEqual(await inputsBesides(harness, log, source), []);
      await log.commit([...good]);
      assert.equal((await wholeJournal(log, account("bob"))).length, 1);
    },
  },
  {
    name: "chained turns follow each other in one commit",
    oneShard: true,
    async run(harness) {
      const log = await harness.connect();
      const outgoing = [toInquiries("bob", "hello")];
      const revisions = await log.commit([
        turn("alice", 0, { record: bytes("1"), outgoing }),
        turn("bob", 0),
        turn("alice", "chained", { record: bytes("2"), outgoing }),
        turn("alice", "chained", { record: bytes("3") }),
      ]);
      const entries = await wholeJournal(log, account("alice"));
      assert.deepEqual(
        entries.map((entry) => text(entry.record)),
        ["1", "2", "3"],
      );
      const ofAlice = revisions.filter((_, i) => i !== 1);
      assert.deepEqual(
        entries.map((entry) => entry.revision),
        ofAlice,
      );
      await rejectsWith(log.commit([turn("alice", revisions[2] ?? 0)]), "revision-conflict");
      await log.commit([turn("alice", revisions[3] ?? 0)]);
    },
  },
  {
    name: "a second turn of one agent that is not chained refuses the commit",
    async run(harness) {
      const log = await harness.connect();
      const [revision = 0] = await log.commit([turn("alice", 0)]);
      for (const second of [0, revision, revision + 1]) {
        const commit = log.commit([turn("bob", 0), turn("alice", revision), turn("alice", second)]);
        await rejectsWith(commit, "revision-conflict", "log-refused");
      }
      assert.equal((await wholeJournal(log, account("alice"))).length, 1);
      assert.deepEqual(await wholeJournal(log, account("bob")), []);
    },
  },
  {
    name: "a stale first turn takes its chained turns with it",
    async run(harness) {
      const log = await harness.connect();
      await log.commit([turn("alice", 0)]);
      const chain = [turn("alice", 0), turn("alice", "chained"), turn("alice", "chained")];
      await rejectsWith(log.commit(chain), "revision-conflict");
      assert.equal((await wholeJournal(log, account("alice"))).length, 1);
    },
  },
  {
    name: "of concurrent commits on one revision exactly one wins",
    async run(harness) {
      const logs = [await harness.connect(), await harness.connect(), await harness.connect()];
      let revision = 0;
      for (const round of range(12)) {
        // With something to send and without: an implementation may store these in different ways.
        const outgoing = round % 2 === 0 ? [] : [toInquiries("bob", `${round}`)];
        const expected = revision;
        const results = await Promise.allSettled(
          logs.map((log) => log.commit([turn("alice", expected, { outgoing })])),
        );
        const wins = results.filter((result) => result.status === "fulfilled");
        assert.equal(wins.length, 1, `round ${round}`);
        for (const result of results) {
          if (result.status === "fulfilled") continue;
          assert.equal(errorCode(result.reason), "revision-conflict");
        }
        revision = wins[0]?.value[0] ?? 0;
      }
    },
  },
  {
    name: "concurrent commits of different agents all succeed",
    async run(harness) {
      const [log, other] = [await harness.connect(), await harness.connect()];
      const outgoing = [toAccount("receiver", "hello")];
      const commits = range(60).map((i) => {
        const key = `key-${i}`;
        const first = turn(key, 0, i % 3 === 0 ? { outgoing } : {});
        const turns = i % 5 === 0 ? [first, turn(key, "chained")] : [first];
        return (i % 2 ? log : other).commit(turns);
      });
      const revisions = (await Promise.all(commits)).flat();
      assert.equal(new Set(revisions).size, 60 + 12);
      // Inputs from other shards have arrived then.
      await log.inputsOf(account("receiver"), [], 0, Number.MAX_SAFE_INTEGER, { firm: true });
      const source = { partition: partitionOf(log, "receiver"), key: "receiver" };
      assert.equal((await inputsBesides(harness, log, source)).length, 20);
    },
  },
  {
    name: "a message to a key that cannot name an agent refuses the whole commit",
    oneShard: true,
    async run(harness) {
      const log = await harness.connect();
      const outgoing = [toAccount("", "hello")];
      const commit = log.commit([turn("alice", 0), turn("bob", 0, { outgoing })]);
      await rejectsWith(commit, "invalid-key");
      assert.deepEqual(await everything(log), []);
    },
  },
  {
    name: "the ids of what a turn sends are kept, and compared with nothing",
    async run(harness) {
      const log = await harness.connect();
      await log.accept(toAccount("bob", "a stranger's", { id: "same" }));
      const outgoing = [
        toAccount("bob", "first", { id: "same" }),
        toAccount("bob", "second", { id: "same" }),
      ];
      await log.commit([turn("alice", 0, { outgoing })]);
      const collector = collect(harness, log, { source: partitionOf(log, "bob") });
      await collector.has(3);
      assert.deepEqual(
        collector.inputs.map((input) => input.metadata.id),
        ["same", "same", "same"],
      );
    },
  },
];
