/** Facts that workers tell each other: floors, manifests, presence and replies. */
import assert from "node:assert/strict";

import type { WaitReport, Floor, Log, Manifest, Presence } from "@troupe/core/log";
import { bytes, range, text } from "./drafts.ts";
import type { LogCheck, LogHarness } from "./log-harness.ts";
import { rejectsWith } from "./observe.ts";
import { until } from "./until.ts";

export const workerChecks: readonly LogCheck[] = [
  {
    name: "what turns wait for is heard by everybody, also by who says it, until they stop listening",
    async run(harness) {
      const [log, other] = [await harness.connect(), await harness.connect()];
      const heard: string[] = [];
      const hear = (who: string) => (report: WaitReport) =>
        void heard.push(`${who} ${report.worker} ${JSON.stringify(report.waits)}`);
      const stop = [log.onWaits(hear("self")), other.onWaits(hear("other"))];
      await log.flush();
      await other.flush();
      const waits = [{ caller: "account/alice", callee: "account/客户", ask: "one:1" }];
      log.announceWaits({ worker: "one", waits });
      await until(harness, "both heard", () => heard.length === 2);
      const told = `one ${JSON.stringify(waits)}`;
      assert.deepEqual(heard.toSorted(), [`other ${told}`, `self ${told}`]);
      for (const end of stop) end();
      log.announceWaits({ worker: "one", waits: [] });
      await log.flush();
      assert.equal(heard.length, 2);
    },
  },
  {
    name: "floors are saved, replaced one by one, and read by others",
    async run(harness) {
      const [log, other] = [await harness.connect(), await harness.connect()];
      assert.deepEqual(await log.floors(), []);
      const floors: Floor[] = [
        { type: "account", partition: 0, position: 5 },
        { type: "account", partition: 1, position: 6 },
        { type: "teller", partition: 0, position: 7 },
        { type: "teller", partition: "unroutable", position: 8 },
      ];
      await log.saveFloors(floors);
      await floorsAre(harness, other, floors);
      const later: Floor = { type: "account", partition: 1, position: 9 };
      await other.saveFloors([later]);
      await other.saveFloors([]);
      await floorsAre(harness, log, [...floors.filter((_, i) => i !== 1), later]);
    },
  },
  {
    name: "the last manifest of a type is read by everybody",
    async run(harness) {
      const [log, other] = [await harness.connect(), await harness.connect()];
      assert.equal(await log.manifest("account"), undefined);
      assert.deepEqual(await log.manifests(), []);
      await log.register(manifestOf("account", "1"));
      await log.register(manifestOf("teller", "1"));
      await log.register(manifestOf("account", "2"));
      const account = await other.manifest("account");
      assert.deepEqual({ ...account }, manifestOf("account", "2"));
      assert.equal(await other.manifest("nobody"), undefined);
      const all = (await other.manifests()).map(({ type, version }) => `${type} ${version}`);
      assert.deepEqual(all.toSorted(), ["account 2", "teller 1"]);
    },
  },
  {
    name: "I15: a manifest only grows, whoever registers an older one, until names are forgotten",
    async run(harness) {
      const logs = await Promise.all(range(4).map(() => harness.connect()));
      const [log, other] = logs;
      assert.ok(log !== undefined && other !== undefined);
      const old = manifestOf("account", "1");
      const newer = { ...old, messages: ["deposit", "split"], topics: ["refunds"], version: "2" };
      await log.register(old);
      await other.register(newer);
      const again = await log.register(old);
      const grown = {
        ...old,
        messages: ["deposit", "close", "split"],
        topics: ["inquiries", "refunds"],
      };
      assert.deepEqual(again, grown);
      // Many at once, each with a name of its own: none is lost.
      await Promise.all(
        logs.map((each, index) => each.register({ ...old, messages: [`extra-${index}`] })),
      );
      const all = [...grown.messages, ...range(4).map((index) => `extra-${index}`)];
      await until(harness, "every name is there", async () => {
        return (await log.manifest("account"))?.messages.length === all.length;
      });
      const found = await log.manifest("account");
      assert.deepEqual(found?.messages.toSorted(), all.toSorted());
      const left = await other.forget("account", { messages: all.slice(1), topics: ["refunds"] });
      assert.deepEqual(left, { ...old, messages: ["deposit"] });
      assert.equal(await other.forget("nobody", { messages: ["deposit"] }), undefined);
    },
  },
  {
    name: "the last snapshot of each agent is kept and read by others",
    async run(harness) {
      const [log, other] = [await harness.connect(), await harness.connect()];
      const alice = { type: "account", key: "alice.smith" };
      const bob = { type: "account", key: "bob" };
      assert.equal(await log.snapshot(alice), undefined);
      await log.saveSnapshot(alice, bytes("first"));
      await log.saveSnapshot(alice, bytes("second"));
      await other.saveSnapshot(bob, bytes("bob's"));
      for (const [agent, expected] of [
        [alice, "second"],
        [bob, "bob's"],
      ] as const) {
        await until(harness, `the snapshot of ${agent.key} is read`, async () => {
          const found = await other.snapshot(agent);
          return found !== undefined && text(found) === expected;
        });
      }
      const tooLarge = new Uint8Array(log.limits.payloadBytesMax + 1);
      await rejectsWith(log.saveSnapshot(bob, tooLarge), "payload-too-large");
    },
  },
  {
    name: "presence is heard by others and by oneself until one stops listening",
    async run(harness) {
      const [log, other] = [await harness.connect(), await harness.connect()];
      const heard = [listen(log), listen(other), listen(other)];
      const presence: Presence = {
        worker: "worker-1",
        leaving: false,
        holds: { account: [0, 3], teller: [] },
      };
      await announceUntilHeard(harness, log, presence, heard);
      for (const { presences } of heard) assert.deepEqual(presences[0], presence);
      heard[2]?.end();
      const before = heard[2]?.presences.length;
      const leaving: Presence = { worker: "worker-1", leaving: true, holds: {} };
      await announceUntilHeard(harness, other, leaving, heard.slice(0, 2));
      assert.equal(heard[2]?.presences.length, before);
    },
  },
  {
    name: "a worker is answered for until it says goodbye or its process is gone",
    async run(harness) {
      const [asker, first, second] = [
        await harness.connect(),
        await harness.connect(),
        await harness.connect(),
      ];
      assert.equal(await asker.probe("nobody"), false);
      first.announce({ worker: "polite one", leaving: false, holds: {} });
      second.announce({ worker: "sudden.one", leaving: false, holds: {} });
      await until(harness, "both are answered for", async () => {
        return (await asker.probe("polite one")) && (await asker.probe("sudden.one"));
      });
      first.announce({ worker: "polite one", leaving: true, holds: {} });
      await second.close();
      await until(harness, "nobody is answered for", async () => {
        return !(await asker.probe("polite one")) && !(await asker.probe("sudden.one"));
      });
    },
  },
  {
    name: "every reply address is another one",
    async run(harness) {
      const logs = [await harness.connect(), await harness.connect()];
      const addresses = range(100).map((i) => logs[i % 2]?.replyAddress());
      assert.equal(new Set(addresses).size, 100);
    },
  },
  {
    name: "a cancelled ask is told to all, the canceller included, until one stops listening",
    async run(harness) {
      const [log, other] = [await harness.connect(), await harness.connect()];
      const heard: string[][] = [[], [], []];
      const unlisten = [log, other, other].map((each, index) =>
        each.onAskCancelled((replyTo) => heard[index]?.push(replyTo)),
      );
      const [first, second] = [log.replyAddress(), log.replyAddress()];
      await until(harness, "the first one is heard", () => {
        log.cancelAsk(first);
        return heard.every((each) => each.includes(first));
      });
      unlisten[1]?.();
      await until(harness, "the second one is heard", () => {
        log.cancelAsk(second);
        return heard[0]?.includes(second) === true && heard[2]?.includes(second) === true;
      });
      assert.deepEqual(heard[1]?.includes(second), false);
    },
  },
  {
    name: "a reply reaches its process only, with its address and payload",
    async run(harness) {
      const [asker, other] = [await harness.connect(), await harness.connect()];
      const [replies, otherReplies] = [listenToReplies(asker), listenToReplies(other)];
      const [first, second] = [asker.replyAddress(), asker.replyAddress()];
      const othersAddress = other.replyAddress();
      // Whether a process hears replies yet cannot be seen from outside, and a reply may be lost.
      await until(harness, "the first reply is heard", () => {
        other.reply(first, bytes("first"));
        return replies.length > 0;
      });
      await until(harness, "the second reply is heard", () => {
        other.reply(second, new Uint8Array());
        return replies.some((reply) => reply === `${second}: `);
      });
      await until(harness, "a reply to the other process is heard", () => {
        asker.reply(othersAddress, bytes("third"));
        other.reply("nobody.has.this.address", bytes("lost"));
        return otherReplies.length > 0;
      });
      const heard = [...new Set(replies)];
      assert.deepEqual(heard, [`${first}: first`, `${second}: `]);
      assert.deepEqual([...new Set(otherReplies)], [`${othersAddress}: third`]);
    },
  },
  {
    name: "a listener that stopped hears no replies",
    async run(harness) {
      const log = await harness.connect();
      const stopped: string[] = [];
      const end = log.onReply((replyTo) => void stopped.push(replyTo));
      const replies = listenToReplies(log);
      end();
      const address = log.replyAddress();
      await until(harness, "the reply is heard", () => {
        log.reply(address, bytes("hello"));
        return replies.length > 0;
      });
      assert.deepEqual(stopped, []);
    },
  },
];

function manifestOf(type: string, version: string): Manifest {
  const topics = ["inquiries"];
  return { type, messages: ["deposit", "close"], topics, events: ["deposited"], version };
}

async function floorsAre(harness: LogHarness, log: Log, expected: readonly Floor[]): Promise<void> {
  const lines = linesOf(expected);
  // A floor may be late, so it is read until it is right.
  await until(harness, `the floors are ${lines.join(", ")}`, async () => {
    return linesOf(await log.floors()).join() === lines.join();
  });
}

function linesOf(floors: readonly Floor[]): string[] {
  const lines = floors.map(({ type, partition, position }) => `${type} ${partition} ${position}`);
  return lines.toSorted();
}

interface Heard {
  readonly presences: Presence[];
  end(): void;
}

function listen(log: Log): Heard {
  const presences: Presence[] = [];
  return { presences, end: log.onPresence((presence) => void presences.push(presence)) };
}

/** Announcements may be lost (LOG-5), so they are repeated. */
async function announceUntilHeard(
  harness: LogHarness,
  log: Log,
  presence: Presence,
  heard: readonly Heard[],
): Promise<void> {
  const isHeard = ({ presences }: Heard): boolean =>
    presences.some(({ leaving }) => leaving === presence.leaving);
  await until(harness, "the announcement is heard", () => {
    log.announce(presence);
    return heard.every(isHeard);
  });
}

function listenToReplies(log: Log): string[] {
  const replies: string[] = [];
  log.onReply((replyTo, payload) => void replies.push(`${replyTo}: ${text(payload)}`));
  return replies;
}
