/** Journals: every record in order, page by page, of this agent only. */
import assert from "node:assert/strict";

import { keyToToken, partitionOfToken } from "@troupe/core/log";
import type { AgentId, Position, Log } from "@troupe/core/log";
import { journalPages } from "@troupe/core/engine";
import { account, bytes, range, text, turn } from "./drafts.ts";
import type { LogCheck } from "./log-harness.ts";
import { wholeJournal } from "./observe.ts";

export const journalChecks: readonly LogCheck[] = [
  {
    name: "the keys of a type are listed once each, where their partition is, and no other ones",
    async run(harness) {
      const log = await harness.connect();
      const keys = [...range(40).map((i) => `key ${i}`), "a.b", "ünï", "50%", "*"];
      for (const key of keys) await log.commit([turn(key, 0)]);
      const [alice = 0] = await log.commit([turn("alice", 0)]);
      await log.commit([turn("alice", alice)]);
      const other = { type: "accounting", key: "elsewhere" };
      await log.commit([{ ...turn("alice", 0), agent: other }]);
      const found: string[] = [];
      for (const partition of range(log.partitions)) {
        const here = await log.keysOf("account", partition);
        const places = here.map((key) => partitionOfToken(keyToToken(key), log.partitions));
        assert.ok(places.every((place) => place === partition));
        found.push(...here);
      }
      assert.deepEqual(found.toSorted(), [...keys, "alice"].toSorted());
      assert.deepEqual(await log.keysOf("nobody", 0), []);
    },
  },
  {
    name: "an agent without turns has an empty journal",
    async run(harness) {
      const log = await harness.connect();
      assert.deepEqual(await log.journal(account("nobody"), 0), []);
      await log.commit([turn("alice", 0)]);
      assert.deepEqual(await log.journal(account("nobody"), 0), []);
    },
  },
  {
    name: "a journal of many pages is read whole and in order",
    async run(harness) {
      const log = await harness.connect();
      const revisions = await commitChain(log, account("alice"), 700);
      const entries = await wholeJournal(await harness.connect(), account("alice"));
      assert.deepEqual(
        entries.map((entry) => entry.revision),
        revisions,
      );
      assert.deepEqual(
        entries.map((entry) => text(entry.record)),
        range(700).map((i) => `record ${i}`),
      );
      assert.ok(entries.every((entry) => Number.isFinite(entry.committedAtMs)));
    },
  },
  {
    name: "a journal continues after any position",
    async run(harness) {
      const log = await harness.connect();
      const revisions = await commitChain(log, account("alice"), 20);
      await commitChain(log, account("bob"), 5);
      const last = revisions.at(-1) ?? 0;
      for (const after of [revisions[0] ?? 0, revisions[11] ?? 0, last - 1]) {
        const entries = await log.journal(account("alice"), after);
        const expected = revisions.filter((revision) => revision > after);
        const found = entries.map((entry) => entry.revision);
        assert.deepEqual(found, expected.slice(0, found.length));
        assert.ok(found.length > 0);
      }
      assert.deepEqual(await log.journal(account("alice"), last), []);
      assert.deepEqual(await log.journal(account("alice"), last + 1000), []);
    },
  },
  {
    name: "a journal is read whole with the next page on its way, between records of others",
    async run(harness) {
      const log = await harness.connect();
      const lengths = [1, 2, 3, 9, 1100];
      const agents = lengths.map((length) => account(`${length} records`));
      const expected = await Promise.all(
        agents.map((agent, i) => commitChain(log, agent, lengths[i] ?? 0)),
      );
      const reading = await harness.connect();
      for (const [i, agent] of agents.entries()) {
        const found: Position[] = [];
        for await (const page of journalPages(reading, agent, 0)) {
          found.push(...page.map(({ revision }) => revision));
        }
        assert.deepEqual(found, expected[i]);
      }
    },
  },
  {
    name: "agents with similar names have journals of their own",
    oneShard: true,
    async run(harness) {
      const log = await harness.connect();
      const types = ["a", "a-b", "A", "journal"];
      const keys = ["k", "k.1", "k%2E1", "k/1", "K", "k ", "1"];
      const agents = types.flatMap((type) => keys.map((key) => ({ type, key })));
      await log.commit(
        agents.map((agent) => ({
          ...turn("", 0),
          agent,
          record: bytes(`${agent.type} ${agent.key}`),
        })),
      );
      for (const agent of agents) {
        const records = (await wholeJournal(log, agent)).map((entry) => text(entry.record));
        assert.deepEqual(records, [`${agent.type} ${agent.key}`]);
      }
    },
  },
  {
    name: "a committed record is read at once, also by another process",
    async run(harness) {
      const [log, other] = [await harness.connect(), await harness.connect()];
      let revision = 0;
      for (const reading of [log, other, log, other]) {
        const after = revision;
        [revision = 0] = await log.commit([turn("alice", after)]);
        const revisions = (await reading.journal(account("alice"), after)).map((e) => e.revision);
        assert.deepEqual(revisions, [revision]);
      }
    },
  },
];

/** `count` records for a new agent, in commits of at most 200; returns their positions. */
async function commitChain(log: Log, agent: AgentId, count: number): Promise<Position[]> {
  const revisions: Position[] = [];
  while (revisions.length < count) {
    const last = revisions.at(-1) ?? 0;
    const turns = range(Math.min(200, count - revisions.length)).map((i) => ({
      ...turn(agent.key, i === 0 ? last : "chained"),
      record: bytes(`record ${revisions.length + i}`),
    }));
    revisions.push(...(await log.commit(turns)));
  }
  return revisions;
}
