/** Counting and destroying what a log holds of one agent or source (DESTROY-1 to DESTROY-3). */
import assert from "node:assert/strict";

import type { LogPart, Log } from "@troupe/core/log";
import { fitsLog } from "@troupe/core/log";
import { account, toAccount, toInquiries, turn } from "./drafts.ts";
import type { LogCheck } from "./log-harness.ts";
import { collectAll, everything, wholeJournal } from "./observe.ts";
import { until } from "./until.ts";

const parts: readonly LogPart[] = [
  { kind: "journal", agent: account("alice") },
  { kind: "inputs", agent: account("alice") },
  { kind: "publications", topic: "inquiries", source: "alice" },
  { kind: "dead-letters", agent: account("alice") },
  { kind: "snapshot", agent: account("alice") },
];

/** The same of two agents. */
async function fill(log: Log): Promise<void> {
  for (const key of ["alice", "bob"]) {
    await log.accept(toAccount(key, `first for ${key}`));
    await log.accept(toInquiries(key, `published by ${key}`));
    const { position } = await log.accept(toAccount(key, `second for ${key}`));
    const [first = 0] = await log.commit([turn(key, 0)]);
    await log.commit([turn(key, first)]);
    const failure = { code: "broken", message: "broken", retryable: false };
    const payload = new Uint8Array([1]);
    const of = { agent: account(key), inputPosition: position, origin: `agent/account/${key}` };
    await log.bury({ ...of, failure, attempts: 1, payload, contentType: undefined });
    await log.saveSnapshot(account(key), new Uint8Array([7, 7, 7]));
  }
}

async function countInputs(log: Log, key: string): Promise<number> {
  for (let [after, count] = [0, 0]; ;) {
    const page = await log.inputsOf(account(key), ["inquiries"], after, Infinity);
    const last = page.at(-1);
    if (last === undefined) return count;
    count += page.length;
    after = last.position;
  }
}

export const holdingsChecks: readonly LogCheck[] = [
  {
    name: "DESTROY-1, DESTROY-3: what is destroyed is counted before and not read after, and nothing else is touched",
    async run(harness) {
      const log = await harness.connect();
      await fill(log);
      const before = await everything(log);
      const counts = await Promise.all(parts.map((part) => log.holdings(part, Infinity)));
      assert.deepEqual(
        counts.map(({ count }) => count),
        [2, 2, 1, 1, 1],
      );
      assert.ok(counts.every(({ bytes }) => bytes > 0));
      const destroyed = await Promise.all(parts.map((part) => log.destroy(part, Infinity)));
      assert.deepEqual(destroyed, [2, 2, 1, 1, 1]);
      assert.deepEqual(await wholeJournal(log, account("alice")), []);
      assert.equal(await countInputs(log, "alice"), 0);
      assert.equal(await log.snapshot(account("alice")), undefined);
      const after = await everything(log);
      assert.equal(after.length, before.length - 6);
      assert.equal((await wholeJournal(log, account("bob"))).length, 2);
      assert.equal(await countInputs(log, "bob"), 3);
      assert.ok(await log.snapshot(account("bob")));
      const collectors = collectAll(harness, log);
      await until(harness, "the others are handed over", () => {
        return collectors.flatMap(({ inputs }) => inputs).length === 3;
      });
      await Promise.all(collectors.map(({ reader }) => reader.stop()));
      assert.deepEqual(
        await Promise.all(parts.map((part) => log.destroy(part, Infinity))),
        [0, 0, 0, 0, 0],
      );
    },
  },
  {
    name: "DESTROY-1: nothing behind the named position is destroyed",
    async run(harness) {
      const log = await harness.connect();
      await fill(log);
      const [first] = await wholeJournal(log, account("alice"));
      assert.ok(first);
      const journal: LogPart = { kind: "journal", agent: account("alice") };
      assert.equal((await log.holdings(journal, first.revision)).count, 1);
      assert.equal(await log.destroy(journal, first.revision), 1);
      const [left, ...more] = await wholeJournal(log, account("alice"));
      assert.ok(left !== undefined && left.revision > first.revision && more.length === 0);
      // The fence still counts from the last one.
      await log.commit([turn("alice", left.revision)]);
    },
  },
  {
    name: "I16: a mark on what was destroyed stands as long as the log goes on behind it",
    async run(harness) {
      const log = await harness.connect();
      await fill(log);
      const { log: identity } = await log.end();
      const [first] = await wholeJournal(log, account("alice"));
      assert.ok(first);
      const { committedAtMs: storedAtMs, revision: position } = first;
      const mark = { log: identity, position, storedAtMs };
      assert.ok(await fitsLog(log, mark));
      await log.destroy({ kind: "journal", agent: account("alice") }, position);
      assert.equal(await log.at(position), undefined);
      assert.ok(await fitsLog(log, mark), "a hole before the end");
      const { last } = await log.end();
      assert.ok(!(await fitsLog(log, { ...mark, position: last + 1 })), "beyond the end");
      assert.ok(!(await fitsLog(log, { ...mark, log: "another" })), "of another log");
    },
  },
];
