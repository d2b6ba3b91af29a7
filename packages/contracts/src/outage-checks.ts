/** Rules that hold while the broker is gone and after it came back. */
import assert from "node:assert/strict";

import type { Log, LogStatus } from "@troupe/core/log";
import { account, partitionOf, range, text, toAccount, turn } from "./drafts.ts";
import type { LogCheck, LogHarness } from "./log-harness.ts";
import {
  collect,
  errorCode,
  everything,
  inputsBesides,
  rejectsWith,
  wholeJournal,
} from "./observe.ts";
import { inTime, until } from "./until.ts";

export const outageChecks: readonly LogCheck[] = [
  {
    name: "everything stored is there after a restart",
    needs: "restart",
    async run(harness) {
      const log = await harness.connect();
      await log.accept(toAccount("alice", "hello"));
      const [revision] = await log.commit([turn("alice", 0)]);
      await log.register({ type: "account", messages: [], topics: [], events: [], version: "1" });
      await harness.restart?.();
      const other = await harness.connect();
      assert.equal((await everything(other)).length, 2);
      const [entry] = await wholeJournal(other, account("alice"));
      assert.equal(entry?.revision, revision);
      assert.equal((await other.manifest("account"))?.version, "1");
    },
  },
  {
    name: "a reader continues over a restart without loss or duplicates",
    needs: "restart",
    async run(harness) {
      const log = await harness.connect();
      const source = partitionOf(log, "alice");
      const [free, limited, narrow] = [
        collect(harness, log, { source }),
        collect(harness, log, { source, credit: 5 }),
        collect(harness, log, { source, types: ["account"], topics: [] }),
      ];
      for (const i of range(20)) await log.accept(toAccount("alice", `${i}`));
      await limited.has(5);
      const restarted = harness.restart?.();
      const during = range(20).map((i) => acceptAnyway(log, `${i + 20}`));
      await Promise.all([restarted, ...during]);
      for (const i of range(20)) await acceptAnyway(log, `${i + 40}`);
      await free.has(60);
      await log.flush();
      assert.equal(limited.inputs.length, 5);
      limited.reader.grant(1000, 0);
      await limited.has(60);
      const contents = free.contents();
      assert.equal(new Set(contents).size, 60);
      assert.equal(contents.length, 60);
      assert.deepEqual(limited.contents(), contents);
      await narrow.has(60);
      assert.deepEqual(narrow.contents(), contents);
      const positions = free.inputs.map((input) => input.position);
      assert.deepEqual(
        positions,
        positions.toSorted((a, b) => a - b),
      );
    },
  },
  {
    name: "accept tries again through a restart and stores once",
    needs: "restart",
    async run(harness) {
      const log = await harness.connect();
      const before = range(10).map((i) => acceptAnyway(log, `${i}`));
      const restarted = harness.restart?.();
      const after = range(10).map((i) => acceptAnyway(log, `${i + 10}`));
      await Promise.all([restarted, ...before, ...after]);
      const source = { partition: partitionOf(log, "alice"), key: "alice" };
      const contents = await inputsBesides(harness, log, source);
      const expected = range(20).map((i) => `${i}`);
      assert.deepEqual(contents.toSorted(), expected.toSorted());
    },
  },
  {
    name: "a commit during a restart is stored, or its outcome is unknown",
    needs: "restart",
    async run(harness) {
      const log = await harness.connect();
      const agents = range(20).map((i) => `key-${i}`);
      const commits = agents.slice(0, 10).map((key) => outcomeOf(log, key));
      const restarted = harness.restart?.();
      commits.push(...agents.slice(10).map((key) => outcomeOf(log, key)));
      const outcomes = await Promise.all(commits);
      await restarted;
      for (const [i, outcome] of outcomes.entries()) {
        const key = agents[i] ?? "";
        const entries = await eventualJournal(harness, log, key);
        if (outcome === "stored") assert.equal(entries.length, 1, key);
        else assert.equal(outcome, "log-unavailable");
        const [entry] = entries;
        assert.equal(
          entry === undefined ? key : text(entry.record),
          entry ? `turn of ${key}` : key,
        );
        assert.ok(entries.length <= 1);
      }
    },
  },
  {
    name: "a follower continues over a restart without loss or duplicates",
    needs: "restart",
    async run(harness) {
      const log = await harness.connect();
      const shown: string[] = [];
      const end = new AbortController();
      const following = (async () => {
        for await (const entry of log.follow({ from: 1, signal: end.signal })) {
          if (entry.kind === "input") shown.push(text(entry.input.payload));
        }
      })().catch(() => undefined);
      for (const i of range(5)) await acceptAnyway(log, `${i}`);
      await until(harness, "5 entries are shown", () => shown.length >= 5);
      await harness.restart?.();
      for (const i of range(5)) await acceptAnyway(log, `${i + 5}`);
      await until(harness, "10 entries are shown", () => shown.length >= 10);
      assert.deepEqual(
        shown,
        range(10).map((i) => `${i}`),
      );
      end.abort();
      await following;
    },
  },
  {
    name: "a restart is told as disconnected, then connected",
    needs: "restart",
    async run(harness) {
      const log = await harness.connect();
      const statuses: LogStatus[] = [];
      log.onStatus((status) => void statuses.push(status));
      await harness.restart?.();
      await until(harness, "the log is connected again", () => statuses.at(-1) === "connected");
      assert.equal(statuses[0], "disconnected");
    },
  },
  {
    name: "replies and presence are heard again after a restart",
    needs: "restart",
    async run(harness) {
      const [log, other] = [await harness.connect(), await harness.connect()];
      const heard = new Set<string>();
      log.onReply((replyTo) => void heard.add(replyTo));
      log.onPresence(({ worker }) => void heard.add(worker));
      const address = log.replyAddress();
      await harness.restart?.();
      await until(harness, "the reply and the announcement are heard", () => {
        other.reply(address, new Uint8Array());
        other.announce({ worker: "worker-1", leaving: false, holds: {} });
        return heard.has(address) && heard.has("worker-1");
      });
    },
  },
  {
    name: "a signal ends an accept that waits for the broker",
    needs: "beginOutage",
    async run(harness) {
      const log = await harness.connect();
      const endOutage = await harness.beginOutage?.();
      const giveUp = new AbortController();
      const accepting = log.accept(toAccount("alice", "hello"), { signal: giveUp.signal });
      const settled = rejectsWith(accepting, "log-unavailable");
      giveUp.abort();
      await inTime(harness, "the accept is refused", settled);
      await endOutage?.();
    },
  },
  {
    name: "an accept that waits for the broker succeeds when it is back",
    needs: "beginOutage",
    async run(harness) {
      const log = await harness.connect();
      const endOutage = await harness.beginOutage?.();
      const accepting = log.accept(toAccount("alice", "hello"));
      await endOutage?.();
      const { position } = await inTime(harness, "the message is accepted", accepting);
      const input = await log.input(position);
      assert.equal(input && text(input.payload), "hello");
    },
  },
  {
    name: "closing during an outage refuses the accepts that wait",
    needs: "beginOutage",
    async run(harness) {
      const log = await harness.connect();
      const endOutage = await harness.beginOutage?.();
      const settled = rejectsWith(log.accept(toAccount("alice", "hello")), "log-closed");
      await inTime(harness, "the log closes", log.close());
      await inTime(harness, "the accept is refused", settled);
      await endOutage?.();
    },
  },
];

/** Accept for alice, with an id. */
async function acceptAnyway(log: Log, content: string): Promise<void> {
  await log.accept(toAccount("alice", content, { id: `message-${content}` }));
}

async function outcomeOf(log: Log, key: string): Promise<string> {
  return log.commit([turn(key, 0)]).then(
    () => "stored",
    (error: unknown) => errorCode(error),
  );
}

/** The journal, once the log answers again. */
async function eventualJournal(
  harness: LogHarness,
  log: Log,
  key: string,
): ReturnType<typeof wholeJournal> {
  let entries: Awaited<ReturnType<typeof wholeJournal>> = [];
  await until(harness, `the journal of ${key} is readable`, async () => {
    try {
      entries = await wholeJournal(log, account(key));
      return true;
    } catch {
      return false;
    }
  });
  return entries;
}
