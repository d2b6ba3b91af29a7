/** A turn commits all or nothing, and once, whoever else writes (I3, I4, I5). */
import assert from "node:assert/strict";
import { setImmediate as nextTurnOfTheLoop } from "node:timers/promises";

import { agentNamed, topic } from "@troupe/core";
import { LogUnavailableError, RevisionConflictError } from "@troupe/core/errors";
import type { Log, TurnCommit } from "@troupe/core/log";
import { decodeRecord } from "@troupe/core/operate";
import { encodeRecord } from "@troupe/core/engine";
import { range } from "../drafts.ts";
import type { LogCheck } from "../log-harness.ts";
import { everything, wholeJournal } from "../observe.ts";
import { ledger, type LedgerContext, noteSchema, notesOf, recordsOf } from "./ledger.ts";
import { type Host, Stage } from "./stage.ts";
import type { Tamper } from "./tampered-log.ts";

const echoes = topic("echoes", noteSchema);

/** Sends to another ledger and publishes what it notes. */
const sender = ledger((context, { text }) => {
  sendOn(context, text);
});

function sendOn(context: LedgerContext, text: string): void {
  if (context.agent.key.startsWith("copy")) return;
  context.send(agentNamed("ledger"), `copy-${context.agent.key}`)["note"]?.({ text });
  context.publish(echoes, context.agent.key, { text });
}

export const commitChecks: readonly LogCheck[] = [
  {
    name: "I3: what a turn records, sends and publishes is stored together or not at all",
    async run(harness) {
      await using stage = new Stage(harness);
      const log = await stage.log();
      const seenAtFailure: string[][] = [];
      let failures = 3;
      const host = await stage.host(sender, {
        tamper: (own) => ({
          commit: async (turns) => {
            if (failures-- <= 0) return own.commit(turns);
            seenAtFailure.push(await outgoingOf(log));
            throw new RevisionConflictError("Somebody else wrote first, says the check.");
          },
        }),
      });
      await host.troupe.agent(sender, "alice").note({ text: "hello" });
      await host.heard.has("turn.committed", 2);
      assert.deepEqual(seenAtFailure, [[], [], []]);
      const outgoing = (await outgoingOf(log)).toSorted();
      assert.deepEqual(outgoing, ["echoes/alice", "ledger/copy-alice"]);
      assert.deepEqual(await notesOf(log, "alice"), ["hello"]);
      assert.deepEqual(await notesOf(log, "copy-alice"), ["hello"]);
    },
  },
  {
    name: "I3: a handler that throws leaves nothing of its draft, on no try",
    async run(harness) {
      await using stage = new Stage(harness);
      let runs = 0;
      const agent = ledger((context, { text }) => {
        context.publish(echoes, "alice", { text });
        if (++runs < 3) throw new Error("not yet");
      });
      const host = await stage.host(agent);
      assert.equal(await host.troupe.agent(agent, "alice").note({ text: "hello" }), 1);
      const log = await stage.log();
      assert.deepEqual(await outgoingOf(log), ["echoes/alice"]);
      const [record] = await recordsOf(log, "alice");
      assert.equal(record?.attempts, 3);
      assert.equal(record?.events.length, 1);
      assert.equal(record?.sent.length, 1);
    },
  },
  {
    name: "I5: two workers that both host every key commit every turn once, in order",
    async run(harness) {
      await using stage = new Stage(harness);
      const keys = range(12).map((i) => `key-${i}`);
      const alone: Tamper = () => ({ onPresence: () => () => undefined });
      const hosts: Host[] = [];
      const overlap = Promise.withResolvers<void>();
      const begun = new Set<number>();
      for (const own of range(2)) {
        const uneven = ledger(async (context, { text }) => {
          sendOn(context, text);
          // The first message of this key begins in both workers before it ends in one of them.
          if (context.agent.key === keys[0] && begun.add(own).size === 2) overlap.resolve();
          if (context.agent.key === keys[0]) await overlap.promise;
          for (let left = (Number(text) + own) % 2; left > 0; left--) await nextTurnOfTheLoop();
        });
        hosts.push(await stage.host(uneven, { tamper: alone }));
      }
      const client = await stage.client();
      for (const i of range(15)) {
        await Promise.all(keys.map((key) => client.send(sender, key).note({ text: `${i}` })));
      }
      const log = await stage.log();
      const texts = range(15).map((i) => `${i}`);
      for (const key of keys) {
        await stage.until(`${key} is handled`, async () => (await countOf(log, key)) >= 15);
        await stage.until(`its copy, too`, async () => (await countOf(log, `copy-${key}`)) >= 15);
        assert.deepEqual(await notesOf(log, key), texts, key);
        assert.deepEqual(await notesOf(log, `copy-${key}`), texts, `the copy of ${key}`);
      }
      assert.equal((await outgoingOf(log)).length, 2 * 15 * keys.length);
      const runs = hosts.map(({ heard }) => heard.of("turn.started").length);
      assert.ok(Math.min(...runs) > 0, `the workers did not overlap: ${runs.join(", ")}`);
      const failed = hosts.flatMap(({ heard }) => heard.of("commit.failed"));
      assert.ok(failed.length > 0, "no commit met the other worker's");
    },
  },
  {
    name: "I4: a commit that was stored without an answer runs nothing twice",
    async run(harness) {
      await using stage = new Stage(harness);
      let commits = 0;
      const host = await stage.host(sender, {
        tamper: (own) => ({
          commit: async (turns) => {
            const revisions = await own.commit(turns);
            if (++commits % 3 === 0) throw new LogUnavailableError("No answer, says the check.");
            return revisions;
          },
        }),
      });
      const keys = range(10).map((i) => `key-${i}`);
      const replies = await Promise.all(
        keys.map(async (key) => {
          for (const i of range(5)) await host.troupe.send(sender, key).note({ text: `${i}` });
          return host.troupe.agent(sender, key).note({ text: "5" });
        }),
      );
      assert.deepEqual(
        replies,
        keys.map(() => 6),
      );
      const log = await stage.log();
      const texts = range(6).map((i) => `${i}`);
      for (const key of keys) {
        assert.deepEqual(await notesOf(log, key), texts);
        await stage.until(`the copy`, async () => (await countOf(log, `copy-${key}`)) >= 6);
        assert.deepEqual(await notesOf(log, `copy-${key}`), texts);
      }
    },
  },
  {
    name: "I5: of 50 agents in one group only the one in conflict starts again",
    async run(harness) {
      await using stage = new Stage(harness);
      const gate = Promise.withResolvers<void>();
      const agent = ledger((context, { text }) => {
        context.publish(echoes, context.agent.key, { text });
        return text === "second" ? gate.promise : undefined;
      });
      const host = await stage.host(agent, { runAheadMax: 1 });
      const keys = range(50).map((i) => `key-${i}`);
      await Promise.all(keys.map((key) => host.troupe.agent(agent, key).note({ text: "first" })));
      const log = await stage.log();
      await writeBehindItsBack(log, "key-7", "from elsewhere");
      const before = host.heard.of("commit.stored").length;
      const asks = keys.map((key) => host.troupe.agent(agent, key).note({ text: "second" }));
      await host.heard.has("turn.started", 100);
      gate.resolve();
      await Promise.all(asks);
      const failed = host.heard.of("commit.failed").flatMap(({ agents }) => agents);
      assert.deepEqual(
        failed.map(({ key }) => key),
        ["key-7"],
      );
      for (const key of keys) {
        const middle = key === "key-7" ? ["from elsewhere"] : [];
        assert.deepEqual(await notesOf(log, key), ["first", ...middle, "second"]);
      }
      assert.equal((await outgoingOf(log)).length, 100);
      const commits = host.heard.of("commit.stored").length - before;
      assert.ok(commits < 25, `${commits} commits after the conflict`);
    },
  },
  {
    name: "I5: a handler that runs while the commit before it fails is given up, and runs again",
    async run(harness) {
      await using stage = new Stage(harness);
      const [hold, gate] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
      const signals: AbortSignal[] = [];
      const book = ledger(async (context, { text }) => {
        context.publish(echoes, "alice", { text });
        if (text !== "second") return;
        signals.push(context.signal);
        if (signals.length === 1) await gate.promise;
      });
      let commits = 0;
      const host = await stage.host(book, {
        tamper: (own) => ({
          commit: async (turns) => {
            if (++commits > 1) return own.commit(turns);
            await hold.promise;
            throw new RevisionConflictError("Somebody else wrote first, says the check.");
          },
        }),
      });
      for (const text of ["first", "second", "third"]) {
        await host.troupe.send(book, "alice").note({ text });
      }
      await stage.until("the second turn runs", () => signals.length === 1);
      hold.resolve();
      await host.heard.has("commit.failed");
      assert.equal(signals[0]?.aborted, true);
      gate.resolve();
      await host.heard.has("turn.committed", 3);
      const log = await stage.log();
      assert.deepEqual(await notesOf(log, "alice"), ["first", "second", "third"]);
      assert.equal((await outgoingOf(log)).length, 3);
      assert.equal(signals.length, 2);
      // A fault of the log is no failure of the handler.
      const attempts = (await recordsOf(log, "alice")).map((record) => record.attempts);
      assert.deepEqual(attempts, [1, 1, 1]);
    },
  },
  {
    name: "I5: a chain of turns that meets a foreign record starts again after it",
    async run(harness) {
      await using stage = new Stage(harness);
      const log = await stage.log();
      const hold = Promise.withResolvers<void>();
      let commits = 0;
      const agent = ledger((context, note) => context.publish(echoes, "alice", note));
      const host = await stage.host(agent, {
        tamper: (own) => ({
          commit: async (turns) => {
            if (++commits === 2) await hold.promise;
            return own.commit(turns);
          },
        }),
      });
      await host.troupe.agent(sender, "alice").note({ text: "0" });
      const sent = range(20).map((i) =>
        host.troupe.send(agent, "alice").note({ text: `${i + 1}` }),
      );
      await Promise.all(sent);
      await stage.until("a chain waits", () => commits >= 2);
      await writeBehindItsBack(log, "alice", "from elsewhere");
      hold.resolve();
      await stage.until("all are handled", async () => (await countOf(log, "alice")) >= 22);
      const notes = await notesOf(log, "alice");
      assert.deepEqual(notes.slice(0, 2), ["0", "from elsewhere"]);
      assert.deepEqual(
        notes.slice(2).toSorted((a, b) => Number(a) - Number(b)),
        range(20).map((i) => `${i + 1}`),
      );
      const positions = (await recordsOf(log, "alice")).map(({ inputPosition }) => inputPosition);
      assert.deepEqual(
        positions,
        positions.toSorted((a, b) => a - b),
      );
    },
  },
];

/** `name/key` of everything that turns have sent, in log order. */
async function outgoingOf(log: Log): Promise<string[]> {
  return (await everything(log)).flatMap((entry) =>
    entry.kind === "input" && entry.input.metadata.causationId !== undefined
      ? [`${entry.input.address.name}/${entry.input.address.key}`]
      : [],
  );
}

async function countOf(log: Log, key: string): Promise<number> {
  return (await wholeJournal(log, { type: "ledger", key })).length;
}

/** A turn of another worker: it handled nothing new, but it noted something. */
async function writeBehindItsBack(log: Log, key: string, text: string): Promise<void> {
  const agent = { type: "ledger", key };
  const last = (await wholeJournal(log, agent)).at(-1);
  if (last === undefined) throw new Error(`${key} has no journal`);
  const record = decodeRecord(last.record);
  const events = [{ type: "noted", data: { text } }];
  const bytes = encodeRecord({ ...record, turn: record.turn + 1, events });
  const commit: TurnCommit = {
    agent,
    expectedRevision: last.revision,
    record: bytes,
    outgoing: [],
  };
  await log.commit([commit]);
}
