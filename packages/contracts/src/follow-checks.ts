/** Following: entries that are stored and entries that come, in log order, filtered. */
import assert from "node:assert/strict";

import { agentName } from "@troupe/core/log";
import type { FollowRequest, Log, LogEntry } from "@troupe/core/log";
import { deadLetterAt } from "./dead-letter-checks.ts";
import { bytes, range, text, toAccount, toInquiries, turn } from "./drafts.ts";
import type { LogCheck, LogHarness } from "./log-harness.ts";
import { everything } from "./observe.ts";
import { inTime, until } from "./until.ts";

export const followChecks: readonly LogCheck[] = [
  {
    name: "following shows inputs, turns and dead letters in log order",
    oneShard: true,
    async run(harness) {
      const log = await harness.connect();
      await storeSomeOfEach(log);
      const shown = (await everything(log)).map(summary);
      assert.deepEqual(shown, [
        "input agent account/alice: first",
        "turn account/alice: turn of alice",
        "input topic inquiries/bob: sent",
        "dead-letter account/alice",
        "turn teller/carol: turn of carol",
        "input topic orders/bob: second",
        "dead-letter nobody",
      ]);
    },
  },
  {
    name: "following starts at its position",
    oneShard: true,
    async run(harness) {
      const log = await harness.connect();
      await storeSomeOfEach(log);
      const all = await everything(log);
      for (const [i, entry] of all.entries()) {
        const rest = await everything(log, { from: positionOf(entry) });
        assert.deepEqual(rest.map(summary), all.slice(i).map(summary));
      }
      const last = all.at(-1);
      assert.deepEqual(await everything(log, { from: (last ? positionOf(last) : 0) + 1 }), []);
    },
  },
  {
    name: "following filters by topic and by agent type, each on its own",
    oneShard: true,
    async run(harness) {
      const log = await harness.connect();
      await storeSomeOfEach(log);
      const shown = async (request: Partial<FollowRequest>): Promise<string[]> =>
        (await everything(log, request)).map((entry) => summary(entry).replace(/[/:].*/, ""));
      assert.deepEqual(await shown({ topics: [], types: ["teller"] }), ["turn teller"]);
      assert.deepEqual(await shown({ topics: ["orders"], types: [] }), ["input topic orders"]);
      assert.deepEqual(await shown({ topics: [], types: [] }), []);
      assert.deepEqual(await shown({ topics: ["unknown"], types: ["unknown"] }), []);
      const accountOnly = await shown({ topics: [], types: ["account"] });
      const ofAccount = ["input agent account", "turn account", "dead-letter account"];
      assert.deepEqual(accountOnly, ofAccount);
      const both = await shown({ topics: ["inquiries", "orders"], types: ["teller"] });
      assert.deepEqual(both, ["input topic inquiries", "turn teller", "input topic orders"]);
      assert.equal(
        (await shown({ types: [] })).filter((name) => name.startsWith("input")).length,
        2,
      );
      const agents = (await shown({ topics: [] })).filter((name) => name.startsWith("turn"));
      assert.deepEqual(agents, ["turn account", "turn teller"]);
    },
  },
  {
    name: "following filters by kind",
    oneShard: true,
    async run(harness) {
      const log = await harness.connect();
      await storeSomeOfEach(log);
      await harness.publishUnroutable();
      const shown = async (request: Partial<FollowRequest>): Promise<string[]> =>
        (await everything(log, request)).map((entry) => summary(entry).replace(/[/:].*/, ""));
      assert.deepEqual(await shown({ kinds: ["turn"] }), ["turn account", "turn teller"]);
      assert.deepEqual(await shown({ kinds: ["turn"], types: ["teller"] }), ["turn teller"]);
      assert.deepEqual(await shown({ kinds: [] }), []);
      const rest = await shown({ kinds: ["input", "dead-letter"], topics: ["orders"] });
      const dead = ["dead-letter account", "dead-letter nobody"];
      assert.deepEqual(rest, ["input agent account", dead[0], "input topic orders", dead[1]]);
    },
  },
  {
    name: "following says how many entries are still to come",
    oneShard: true,
    async run(harness) {
      const log = await harness.connect();
      await storeSomeOfEach(log);
      const pending: number[] = [];
      const onPending = (count: number): void => void pending.push(count);
      await everything(log, { kinds: ["turn"], onPending });
      assert.deepEqual(pending, [2, 1, 0]);
      pending.length = 0;
      await everything(log, { from: 1000, kinds: ["turn"], onPending });
      assert.ok(pending.every((count) => count === 0));
    },
  },
  {
    name: "following an empty log until now ends at once",
    async run(harness) {
      const log = await harness.connect();
      assert.deepEqual(await inTime(harness, "following ends", everything(log)), []);
      const filtered = everything(log, { topics: ["inquiries"], types: ["account"] });
      assert.deepEqual(await inTime(harness, "following ends", filtered), []);
    },
  },
  {
    name: "following until now ends although everything at the end is filtered out",
    async run(harness) {
      const log = await harness.connect();
      await log.accept(toInquiries("alice", "shown"));
      await log.accept(toAccount("alice", "not shown"));
      await log.commit([turn("alice", 0)]);
      const shown = everything(log, { topics: ["inquiries"], types: [] });
      const entries = await inTime(harness, "following ends", shown);
      assert.deepEqual(entries.map(summary), ["input topic inquiries/alice: shown"]);
    },
  },
  {
    name: "following shows a long log whole, also while it grows",
    oneShard: true,
    async run(harness) {
      const log = await harness.connect();
      const keys = range(900).map((i) => `key-${i}`);
      for (const from of range(9)) {
        await log.commit(keys.slice(from * 100, from * 100 + 100).map((key) => turn(key, 0)));
      }
      const expected = keys.map((key) => `turn account/${key}: turn of ${key}`);
      const shown: string[] = [];
      const growing: Promise<unknown>[] = [];
      for await (const entry of log.follow({ from: 1, untilNow: true })) {
        shown.push(summary(entry));
        if (shown.length % 100 === 0) growing.push(log.accept(toInquiries("alice", "later")));
      }
      await Promise.all(growing);
      assert.deepEqual(shown.slice(0, 900), expected);
      // The end may have been found before or after the first of the later ones.
      assert.ok(shown.slice(900).every((line) => line.endsWith("later")));
      assert.equal((await everything(log)).length, 909);
    },
  },
  {
    name: "following goes on with what is stored later",
    async run(harness) {
      const log = await harness.connect();
      await log.accept(toAccount("alice", "before"));
      const following = start(harness, await harness.connect(), { from: 1 });
      await following.has(1);
      await log.accept(toAccount("alice", "later"));
      await following.has(2);
      await log.commit([turn("alice", 0)]);
      await following.has(3);
      assert.deepEqual(following.shown, [
        "input agent account/alice: before",
        "input agent account/alice: later",
        "turn account/alice: turn of alice",
      ]);
      await following.stop();
    },
  },
  {
    name: "following what is new does not show what is old",
    async run(harness) {
      const log = await harness.connect();
      await log.accept(toInquiries("alice", "old"));
      const following = start(harness, await harness.connect(), { from: "new" });
      // When a follower is ready cannot be seen from outside, so something new is stored until it
      // shows some.
      await until(harness, "something new is shown", async () => {
        await log.accept(toInquiries("alice", "new"));
        return following.shown.length > 0;
      });
      assert.deepEqual([...new Set(following.shown)], ["input topic inquiries/alice: new"]);
      await following.stop();
    },
  },
  {
    name: "a signal ends the following, before and while it waits",
    async run(harness) {
      const log = await harness.connect();
      await log.accept(toInquiries("alice", "hello"));
      const following = start(harness, log, { from: 1 });
      await following.has(1);
      await following.stop();
      const aborted = start(harness, log, { from: 1 }, AbortSignal.abort());
      await inTime(harness, "following ends", aborted.ended);
      assert.deepEqual(aborted.shown, []);
    },
  },
  {
    name: "breaking out of a following leaves the log usable",
    async run(harness) {
      const log = await harness.connect();
      for (const content of ["1", "2", "3"]) await log.accept(toInquiries("alice", content));
      for await (const entry of log.follow({ from: 1 })) {
        if (summary(entry).endsWith("2")) break;
      }
      assert.equal((await everything(log)).length, 3);
      await inTime(harness, "the log closes", log.close());
    },
  },
];

async function storeSomeOfEach(log: Log): Promise<void> {
  const { position } = await log.accept(toAccount("alice", "first"));
  const outgoing = [toInquiries("bob", "sent")];
  const deadLetter = deadLetterAt(position);
  await log.commit([turn("alice", 0, { outgoing, deadLetter })]);
  await log.commit([{ ...turn("carol", 0), agent: { type: "teller", key: "carol" } }]);
  const address = { kind: "topic", name: "orders", key: "bob" } as const;
  const second = await log.accept({ address, metadata: {}, payload: bytes("second") });
  const { agent: _, ...homeless } = deadLetterAt(second.position);
  await log.bury(homeless);
}

function summary(entry: LogEntry): string {
  if (entry.kind === "turn") {
    return `turn ${agentName(entry.agent)}: ${text(entry.entry.record)}`;
  }
  if (entry.kind === "dead-letter") {
    const { agent } = entry.deadLetter;
    return `dead-letter ${agent ? agentName(agent) : "nobody"}`;
  }
  const { address, payload } = entry.input;
  return `input ${address.kind} ${address.name}/${address.key}: ${text(payload)}`;
}

function positionOf(entry: LogEntry): number {
  if (entry.kind === "turn") return entry.entry.revision;
  return entry.kind === "input" ? entry.input.position : entry.position;
}

interface Following {
  readonly shown: string[];
  /** Resolves when it ended, whether with an error or not. */
  readonly ended: Promise<void>;
  has(count: number): Promise<void>;
  stop(): Promise<void>;
}

function start(
  harness: LogHarness,
  log: Log,
  request: FollowRequest,
  outside?: AbortSignal,
): Following {
  const end = new AbortController();
  const signal = outside ?? end.signal;
  const shown: string[] = [];
  const following = (async () => {
    for await (const entry of log.follow({ ...request, signal })) shown.push(summary(entry));
  })();
  const ended = following.catch(() => undefined);
  return {
    shown,
    ended,
    has: (count) => until(harness, `${count} entries are shown`, () => shown.length >= count),
    async stop() {
      end.abort();
      await inTime(harness, "following ends", ended);
    },
  };
}
