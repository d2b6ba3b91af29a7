/** The end of a connection. */
import assert from "node:assert/strict";

import type { Log, LogStatus } from "@troupe/core/log";
import { deadLetterAt } from "./dead-letter-checks.ts";
import { account, bytes, toAccount, turn } from "./drafts.ts";
import type { LogCheck } from "./log-harness.ts";
import { collectAll, everything, haveTogether, rejectsWith } from "./observe.ts";
import { inTime } from "./until.ts";

export const lifecycleChecks: readonly LogCheck[] = [
  {
    name: "a log says its namespace, its partitions and its limits",
    async run(harness) {
      const log = await harness.connect();
      assert.ok(log.namespace.length > 0);
      assert.ok(Number.isSafeInteger(log.partitions) && log.partitions >= 4);
      assert.ok(log.limits.payloadBytesMax >= 64 * 1024);
      assert.ok(log.limits.commitMessagesMax >= 100);
    },
  },
  {
    name: "every connection to a log says the same identity, which fits into a header",
    async run(harness) {
      const [log, other] = [await harness.connect(), await harness.connect()];
      assert.match(log.id, /^[\w-]{1,40}$/);
      assert.equal(other.id, log.id);
    },
  },
  {
    name: "every call of a closed log fails with LogClosedError",
    async run(harness) {
      const log = await harness.connect();
      await log.close();
      for (const call of callsOf(log)) await rejectsWith(call(), "log-closed");
      log.announce({ worker: "worker-1", leaving: true, holds: {} });
      log.reply("nobody.has.this.address", bytes("lost"));
    },
  },
  {
    name: "a log is closed once, and says so",
    async run(harness) {
      const log = await harness.connect();
      const statuses: LogStatus[] = [];
      log.onStatus((status) => void statuses.push(status));
      await Promise.all([log.close(), log.close()]);
      await log.close();
      assert.deepEqual(
        statuses.filter((status) => status === "closed"),
        ["closed"],
      );
    },
  },
  {
    name: "closing answers or refuses what is under way",
    async run(harness) {
      const log = await harness.connect();
      const accepted = log.accept(toAccount("alice", "hello")).catch(() => undefined);
      const committed = log.commit([turn("alice", 0)]).catch(() => undefined);
      await inTime(harness, "the log closes", log.close());
      await inTime(harness, "the calls are settled", Promise.all([accepted, committed]));
    },
  },
  {
    name: "closing ends readers and followers of this log and no others",
    async run(harness) {
      const [log, other] = [await harness.connect(), await harness.connect()];
      const [ended, going] = [collectAll(harness, log), collectAll(harness, other)];
      await other.accept(toAccount("alice", "before"));
      await haveTogether(harness, ended, 1);
      const following = (async () => {
        for await (const entry of log.follow({ from: 1 })) assert.ok(entry);
      })().catch(() => undefined);
      await log.close();
      await inTime(harness, "following ends", following);
      await other.accept(toAccount("alice", "after"));
      await haveTogether(harness, going, 2);
      assert.equal(ended.flatMap(({ inputs }) => inputs).length, 1);
    },
  },
  {
    name: "an announcement right before the close is still sent",
    async run(harness) {
      const [log, other] = [await harness.connect(), await harness.connect()];
      const heard = Promise.withResolvers<string>();
      other.onPresence(({ worker }) => heard.resolve(worker));
      // The other's interest is known once its next answer is here.
      await other.flush();
      log.announce({ worker: "worker-1", leaving: true, holds: {} });
      await log.flush();
      await log.close();
      assert.equal(await inTime(harness, "the announcement is heard", heard.promise), "worker-1");
    },
  },
];

function callsOf(log: Log): (() => Promise<unknown>)[] {
  return [
    () => log.accept(toAccount("alice", "hello")),
    () => log.commit([turn("alice", 0)]),
    () => log.bury(deadLetterAt(1)),
    () => log.journal(account("alice"), 0),
    () => log.input(1),
    () => everything(log),
    () => log.floors(),
    () => log.saveFloors([{ type: "account", partition: 0, position: 1 }]),
    () => log.register({ type: "account", messages: [], topics: [], events: [], version: "1" }),
    () => log.manifest("account"),
    () => log.manifests(),
    () => log.flush(),
  ];
}
