/** Dispatching: what a record contains is stored after it, while the journal ends there (L12). */
import assert from "node:assert/strict";

import type { Log } from "@troupe/core/log";
import { shardOfKey } from "@troupe/core/log";
import { account, bytes, range, text, toAccount, toInquiries, turn } from "./drafts.ts";
import type { LogCheck } from "./log-harness.ts";
import { rejectsWith } from "./observe.ts";

export const dispatchChecks: readonly LogCheck[] = [
  {
    name: "what a turn dispatches is not stored with it, and afterwards is",
    async run(harness) {
      const log = await harness.connect();
      const [source = "", ...keys] = keysNear(log, "alice", 7);
      const dispatched = [
        ...keys.map((key, i) => toAccount(key, `${i}`, { id: `sent-${i}` })),
        toInquiries(source, "published", { id: "sent-6" }),
      ];
      const [revision = 0] = await log.commit([turn("alice", 0, { dispatched })]);
      for (const key of keys) assert.deepEqual(await textsTo(log, key), []);
      const positions = await log.dispatch(dispatched, { agent: account("alice"), revision });
      for (const [i, key] of keys.entries()) assert.deepEqual(await textsTo(log, key), [`${i}`]);
      assert.deepEqual(await textsTo(log, source, ["inquiries"]), ["published"]);
      for (const [i, position] of positions.entries()) {
        assert.ok(position > revision, "after the record");
        assert.equal((await log.input(position))?.metadata.id, `sent-${i}`);
      }
    },
  },
  {
    name: "nothing is dispatched once the journal has grown",
    async run(harness) {
      const log = await harness.connect();
      const agent = account("alice");
      const [first = 0] = await log.commit([turn("alice", 0)]);
      await (await harness.connect()).commit([turn("alice", first)]);
      const [bob = ""] = keysNear(log, "alice", 1);
      const late = log.dispatch([toAccount(bob, "late")], { agent, revision: first });
      await rejectsWith(late, "revision-conflict");
      assert.deepEqual(await textsTo(log, bob), []);
    },
  },
  {
    name: "what is dispatched again under the next entry is stored again, whatever its id",
    async run(harness) {
      const log = await harness.connect();
      const agent = account("alice");
      const [bob = ""] = keysNear(log, "alice", 1);
      const draft = toAccount(bob, "hello", { id: "sent" });
      const [first = 0] = await log.commit([turn("alice", 0)]);
      await log.dispatch([draft], { agent, revision: first });
      const [second = 0] = await log.commit([turn("alice", first)]);
      await log.dispatch([draft], { agent, revision: second });
      assert.deepEqual(await textsTo(log, bob), ["hello", "hello"]);
    },
  },
  {
    name: "a turn that dispatches what the log would refuse is refused with it",
    async run(harness) {
      const log = await harness.connect();
      const { payloadBytesMax } = log.limits;
      const large = { ...toAccount("bob", ""), payload: bytes("x".repeat(payloadBytesMax + 1)) };
      const commit = log.commit([turn("alice", 0, { dispatched: [large] })]);
      await rejectsWith(commit, "payload-too-large");
      assert.deepEqual(await log.journal(account("alice"), 0), []);
    },
  },
];

/** Keys in the shard of this one. */
function keysNear(log: Log, key: string, count: number): readonly string[] {
  const shard = shardOfKey(log, key);
  const keys = range(count * log.shards * 8).map((i) => `key-${i}`);
  return keys.filter((each) => shardOfKey(log, each) === shard).slice(0, count);
}

async function textsTo(
  log: Log,
  key: string,
  topics: readonly string[] = [],
): Promise<readonly string[]> {
  const inputs = await log.inputsOf(account(key), topics, 0, Number.MAX_SAFE_INTEGER, {
    firm: true,
  });
  return inputs.map(({ payload }) => text(payload));
}
