/** Shards: messages that an agent sends into another one arrive there, once and in order. */
import assert from "node:assert/strict";

import type { Accepted, Position, Log, LogEntry } from "@troupe/core/log";
import { shardAt, shardOfKey } from "@troupe/core/log";
import { account, partitionOf, range, text, toAccount, turn } from "./drafts.ts";
import type { LogCheck, LogHarness } from "./log-harness.ts";
import { collect, everything, rejectsWith, wholeJournal, type Collector } from "./observe.ts";

export const shardChecks: readonly LogCheck[] = [
  {
    name: "SHARD-1: what a turn sends arrives once and in order, wherever it goes",
    async run(harness) {
      const log = await harness.connect();
      const keys = keysOfShards(log);
      const collectors = keys.map((key) => collectFor(harness, log, key));
      let revision: Position = 0;
      for (const round of range(5)) {
        const outgoing = keys.flatMap((key) =>
          range(3).map((i) => toAccount(key, `${round}.${i}`, { id: `${key} ${round}.${i}` })),
        );
        [revision = 0] = await log.commit([turn(keys[0] ?? "", revision, { outgoing })]);
      }
      const expected = range(5).flatMap((round) => range(3).map((i) => `${round}.${i}`));
      for (const [index, collector] of collectors.entries()) {
        await collector.has(expected.length);
        assert.deepEqual(collector.contents(), expected);
        const ids = collector.inputs.map(({ metadata }) => metadata.id);
        assert.deepEqual(
          ids,
          expected.map((content) => `${keys[index]} ${content}`),
        );
      }
    },
  },
  {
    name: "SHARD-1: a turn in conflict sends nothing anywhere",
    async run(harness) {
      const log = await harness.connect();
      const keys = keysOfShards(log);
      const [own = ""] = keys;
      await log.commit([turn(own, 0)]);
      const outgoing = keys.map((key) => toAccount(key, "from a turn in conflict"));
      await rejectsWith(log.commit([turn(own, 0, { outgoing })]), "revision-conflict");
      for (const key of keys) {
        const firm = { firm: true };
        const last = Number.MAX_SAFE_INTEGER;
        assert.deepEqual(await log.inputsOf(account(key), [], 0, last, firm), []);
      }
    },
  },
  {
    name: "SHARD-1: turns of several shards are not stored in one commit",
    async run(harness) {
      const log = await harness.connect();
      if (log.shards === 1) return;
      const keys = keysOfShards(log);
      await rejectsWith(log.commit(keys.map((key) => turn(key, 0))), "log-refused");
      assert.deepEqual(await everything(log), []);
    },
  },
  {
    name: "SHARD-2: what is fenced by an agent elsewhere has its place where it arrives",
    async run(harness) {
      const log = await harness.connect();
      const [own = "", ...others] = keysOfShards(log);
      const [revision = 0] = await log.commit([turn(own, 0)]);
      for (const key of others) {
        const send = (id: string, fence: Position): Promise<Accepted> =>
          log.accept(toAccount(key, id, { id }), {
            fence: { agent: account(own), revision: fence },
          });
        const { duplicate, position } = await send("first", revision);
        assert.equal(duplicate, false);
        assert.equal(text((await log.input(position, { firm: true }))?.payload ?? empty), "first");
        assert.deepEqual({ ...(await send("first", revision)) }, { duplicate: true, position });
        await rejectsWith(send("late", 0), "revision-conflict");
        const all = await log.inputsOf(account(key), [], 0, Number.MAX_SAFE_INTEGER, {
          firm: true,
        });
        assert.deepEqual(
          all.map((input) => input.position),
          [position],
        );
      }
    },
  },
  {
    name: "SHARD-3: a firm read has what turns elsewhere sent before",
    async run(harness) {
      const log = await harness.connect();
      const [own = "", ...others] = keysOfShards(log);
      let revision: Position = 0;
      for (const round of range(5)) {
        const outgoing = others.map((key) => toAccount(key, `round ${round}`));
        [revision = 0] = await log.commit([turn(own, revision, { outgoing })]);
        for (const key of others) {
          const last = Number.MAX_SAFE_INTEGER;
          const inputs = await log.inputsOf(account(key), [], 0, last, { firm: true });
          assert.equal(inputs.length, round + 1);
        }
      }
    },
  },
  {
    name: "SHARD-4: positions name their shard, grow in it, and lead to what lies there",
    async run(harness) {
      const log = await harness.connect();
      for (const key of keysOfShards(log)) {
        const { position } = await log.accept(toAccount(key, "hello"));
        const [revision = 0] = await log.commit([turn(key, 0)]);
        const [second = 0] = await log.commit([turn(key, revision)]);
        assert.equal(shardAt(position), shardOfKey(log, key));
        assert.ok(position < revision && revision < second && Number.isSafeInteger(second));
        assert.equal((await log.input(position, { firm: true }))?.position, position);
        const entries = await wholeJournal(log, account(key));
        assert.deepEqual(
          entries.map((entry) => entry.revision),
          [revision, second],
        );
        assert.equal((await log.at(second))?.storedAtMs, entries[1]?.committedAtMs);
        assert.deepEqual((await log.journal(account(key), revision)).length, 1);
        const { ends = [(await log.end()).last] } = await log.end();
        assert.equal(ends[shardOfKey(log, key)], second);
      }
    },
  },
  {
    name: "following a log of any shards shows everything once, and goes on behind what was seen",
    async run(harness) {
      const log = await harness.connect();
      const keys = keysOfShards(log);
      for (const key of keys)
        for (const round of range(3)) await log.accept(toAccount(key, `${key} ${round}`));
      const all = await everything(log);
      const contents = all.map(contentOf);
      for (const key of keys) {
        const ofKey = contents.filter((content) => content.startsWith(`${key} `));
        assert.deepEqual(
          ofKey,
          range(3).map((round) => `${key} ${round}`),
        );
      }
      assert.equal(all.length, keys.length * 3);
      if (log.shards === 1) return;
      const seen = all.slice(0, 5);
      const after = range(log.shards).map((shard) =>
        Math.max(0, ...seen.map(positionOf).filter((position) => shardAt(position) === shard)),
      );
      const rest = (await everything(log, { after })).map(contentOf);
      assert.deepEqual(rest.toSorted(), contents.slice(5).toSorted());
    },
  },
];

const empty = new Uint8Array();

/** A key in each shard, the first one first. */
function keysOfShards(log: Log): readonly string[] {
  const keys: string[] = [];
  for (let i = 0; keys.filter(Boolean).length < Math.max(2, log.shards); i++) {
    const key = `key-${i}`;
    if (log.shards === 1) keys.push(key);
    else keys[shardOfKey(log, key)] ??= key;
  }
  return keys;
}

function collectFor(harness: LogHarness, log: Log, key: string): Collector {
  return collect(harness, log, { source: partitionOf(log, key) });
}

function contentOf(entry: LogEntry): string {
  return entry.kind === "input" ? text(entry.input.payload) : entry.kind;
}

function positionOf(entry: LogEntry): Position {
  return entry.kind === "input" ? entry.input.position : 0;
}
