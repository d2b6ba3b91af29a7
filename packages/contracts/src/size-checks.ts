/** Large things: single messages, commits and journals up to the limits. */
import assert from "node:assert/strict";

import { account, partitionOf, range, toAccount, turn } from "./drafts.ts";
import type { LogCheck } from "./log-harness.ts";
import { collect, everything, inputsBesides, rejectsWith, wholeJournal } from "./observe.ts";

export const sizeChecks: readonly LogCheck[] = [
  {
    name: "the largest payload is accepted, a larger one is refused and not stored",
    async run(harness) {
      const log = await harness.connect();
      const payload = new Uint8Array(log.limits.payloadBytesMax).fill(120);
      await log.accept({ ...toAccount("alice", ""), payload });
      const larger = { ...toAccount("alice", ""), payload: new Uint8Array(payload.length + 1) };
      await rejectsWith(log.accept(larger), "payload-too-large");
      const source = { partition: partitionOf(log, "alice"), key: "alice" };
      assert.equal((await inputsBesides(harness, log, source)).length, 1);
    },
  },
  {
    name: "a record and a message of the largest size are committed together",
    oneShard: true,
    async run(harness) {
      const log = await harness.connect();
      const large = new Uint8Array(log.limits.payloadBytesMax).fill(120);
      const outgoing = [{ ...toAccount("bob", ""), payload: large }];
      await log.commit([turn("alice", 0, { record: large, outgoing }), turn("bob", 0)]);
      const [entry] = await wholeJournal(log, account("alice"));
      assert.equal(entry?.record.length, large.length);
      const collector = collect(harness, log, { source: partitionOf(log, "bob") });
      await collector.has(1);
      assert.equal(collector.inputs[0]?.payload.length, large.length);
    },
  },
  {
    name: "a message larger than the limit refuses the whole commit",
    oneShard: true,
    async run(harness) {
      const log = await harness.connect();
      const payload = new Uint8Array(log.limits.payloadBytesMax + 1);
      const outgoing = [{ ...toAccount("bob", ""), payload }];
      const turns = [turn("alice", 0), turn("bob", 0, { outgoing })];
      await rejectsWith(log.commit(turns), "payload-too-large");
      assert.deepEqual(await everything(log), []);
    },
  },
  {
    name: "a record much larger than the limit is refused, and so is an empty one",
    async run(harness) {
      const log = await harness.connect();
      for (const bytesOfRecord of [log.limits.payloadBytesMax * 2, 0]) {
        const record = new Uint8Array(bytesOfRecord);
        const commit = log.commit([turn("bob", 0), turn("alice", 0, { record })]);
        await rejectsWith(commit, "log-refused", "payload-too-large");
      }
      assert.deepEqual(await everything(log), []);
    },
  },
  {
    name: "a commit of the most messages is stored, one more is refused and stores nothing",
    oneShard: true,
    async run(harness) {
      const log = await harness.connect();
      const { commitMessagesMax } = log.limits;
      const half = Math.floor(commitMessagesMax / 2);
      const turns = range(half).map((i) => {
        return turn(`key-${i}`, 0, { outgoing: [toAccount(`key-${i}`, "hello")] });
      });
      const rest = range(commitMessagesMax - half * 2).map((i) => turn(`rest-${i}`, 0));
      await rejectsWith(log.commit([...turns, ...rest, turn("one more", 0)]), "log-refused");
      assert.deepEqual(await everything(log), []);
      await log.commit([...turns, ...rest]);
      assert.equal((await everything(log)).length, commitMessagesMax);
    },
  },
  {
    name: "a journal of large records is read whole and in order",
    async run(harness) {
      const log = await harness.connect();
      const length = Math.floor(log.limits.payloadBytesMax / 2);
      let revision = 0;
      for (const i of range(14)) {
        const record = new Uint8Array(length).fill(i);
        [revision = 0] = await log.commit([turn("alice", revision, { record })]);
      }
      const entries = await wholeJournal(log, account("alice"));
      const shapes = entries.map(({ record }) => [record.length, record[0], record.at(-1)]);
      assert.deepEqual(
        shapes,
        range(14).map((i) => [length, i, i]),
      );
    },
  },
];
