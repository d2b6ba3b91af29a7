/**
 * Handlers, folds and interceptors that fail: in order, by name, and at nobody else's cost (I2, I3,
 * I7, I8, I10).
 */
import assert from "node:assert/strict";

import { agent, Reject, topic } from "@troupe/core";
import { LogRefusedError } from "@troupe/core/errors";
import type { Log } from "@troupe/core/log";
import { decodeRecord } from "@troupe/core/operate";
import { encodeRecord } from "@troupe/core/engine";
import { range } from "../drafts.ts";
import type { LogCheck } from "../log-harness.ts";
import { everything, rejectsWith, wholeJournal } from "../observe.ts";
import { anything, ledger, lettersOf, noteSchema, notesOf, recordsOf, textsOf } from "./ledger.ts";
import { Stage } from "./stage.ts";
import type { Tamper } from "./tampered-log.ts";

const echoes = topic("echoes", noteSchema);

export const failureChecks: readonly LogCheck[] = [
  {
    name: "I2: a message that fails is tried again before the key's next one, then given up",
    async run(harness) {
      await using stage = new Stage(harness);
      const runs: string[] = [];
      const book = ledger((_, { text }) => {
        runs.push(text);
        if (text === "bad") throw new Error("never");
        if (text === "late" && runs.filter((each) => each === "late").length < 3) {
          throw new Error("not yet");
        }
      });
      const host = await stage.host(book, { retry: { attemptsMax: 4 } });
      for (const text of ["1", "bad", "2", "late", "3"]) {
        await host.troupe.send(book, "alice").note({ text });
      }
      await host.heard.has("turn.committed", 5);
      const expected = ["1", "bad", "bad", "bad", "bad", "2", "late", "late", "late", "3"];
      assert.deepEqual(runs, expected);
      const log = await stage.log();
      assert.deepEqual(await notesOf(log, "alice"), ["1", "2", "late", "3"]);
      assert.deepEqual(
        (await recordsOf(log, "alice")).map(({ attempts }) => attempts),
        [1, 4, 1, 3, 1],
      );
      assert.equal(host.heard.of("turn.retrying").length, 5);
      assert.deepEqual(await lettersOf(log), ["handler-failed"]);
    },
  },
  {
    name: "I10: a turn that sends more than fits in a commit is one dead letter",
    async run(harness) {
      await using stage = new Stage(harness);
      const { commitMessagesMax } = (await stage.log()).limits;
      const book = ledger((context, { text }) => {
        const count = Number(text);
        for (const i of range(count)) context.publish(echoes, "alice", { text: `${i}` });
      });
      const { troupe } = await stage.host(book);
      const most = commitMessagesMax - 1;
      assert.equal(await troupe.agent(book, "alice").note({ text: `${most}` }), 1);
      const tooMany = troupe.agent(book, "alice").note({ text: `${most + 1}` });
      await rejectsWith(tooMany, "turn-too-large");
      assert.equal(await troupe.agent(book, "alice").note({ text: "1" }), 2);
      const inputs = (await everything(await stage.log())).filter(({ kind }) => kind === "input");
      assert.equal(inputs.length, most + 1 + 3);
    },
  },
  {
    name: "I10: a turn whose record, message or rejection is too large is one dead letter",
    async run(harness) {
      await using stage = new Stage(harness);
      const { payloadBytesMax } = (await stage.log()).limits;
      const much = "x".repeat(payloadBytesMax + 1);
      const book = ledger((context, { text }) => {
        // Alone it would fit, the rest of the record is too much.
        if (text === "event") context.emit.noted({ text: much.slice(50) });
        if (text === "send") context.publish(echoes, "alice", { text: much });
        if (text === "reject") throw new Reject("too much", { much });
        if (text === "throw") throw new Error(much);
      });
      const host = await stage.host(book, { retry: { attemptsMax: 2 }, eventBytesMax: Infinity });
      const { troupe } = host;
      const texts = ["event", "good", "send", "reject", "good", "throw", "good"];
      for (const text of texts) await troupe.send(book, "alice").note({ text });
      await host.heard.has("turn.committed", texts.length);
      const log = await stage.log();
      assert.deepEqual(await notesOf(log, "alice"), ["good", "good", "good"]);
      const codes = ["turn-too-large", "payload-too-large", "rejected", "handler-failed"];
      assert.deepEqual(await lettersOf(log), codes);
      assert.equal(host.heard.of("commit.failed").length, 0);
    },
  },
  {
    name: "I10: when the log refuses one turn of a group or a chain, only that one is given up",
    async run(harness) {
      await using stage = new Stage(harness);
      const gate = Promise.withResolvers<void>();
      const book = ledger((context, { text }) => {
        context.publish(echoes, context.agent.key, { text });
        return text === "first" ? gate.promise : undefined;
      });
      const host = await stage.host(book, { tamper: refuses("refused") });
      const log = await stage.log();
      const key = "alice";
      const asked = ["alice", "bob", "carol"].map((each) =>
        host.troupe.agent(book, each).note({ text: "first" }),
      );
      for (const text of ["1", "2", "refused", "3"]) {
        await host.troupe.send(book, key).note({ text });
      }
      await host.heard.has("turn.started", 3);
      gate.resolve();
      await Promise.all(asked);
      await host.heard.has("turn.committed", 7);
      assert.deepEqual(await notesOf(log, key), ["first", "1", "2", "3"]);
      assert.deepEqual(await notesOf(log, "bob"), ["first"]);
      assert.deepEqual(await lettersOf(log), ["log-refused"]);
      const records = await recordsOf(log, key);
      assert.deepEqual(records.map(({ failure }) => failure?.code).slice(-2), [
        "log-refused",
        undefined,
      ]);
    },
  },
  {
    name: "I10: a commit interceptor that throws costs the turn it throws on",
    async run(harness) {
      await using stage = new Stage(harness);
      const book = ledger();
      const host = await stage.host(book, {
        retry: { attemptsMax: 2 },
        interceptors: [
          {
            commit: (record, next) => {
              if (record.messageId === "bad") throw new Error("I do not like it");
              return next(record);
            },
          },
        ],
      });
      const asked = host.troupe.agent(book, "alice").note({ text: "bad" }, { id: "bad" });
      await rejectsWith(asked, "remote-turn-failed");
      assert.equal(await host.troupe.agent(book, "alice").note({ text: "good" }), 1);
      assert.deepEqual(await lettersOf(await stage.log()), ["handler-failed"]);
    },
  },
  {
    name: "a journal that cannot be folded is a named fault; its key waits, its neighbours go on",
    async run(harness) {
      await using stage = new Stage(harness);
      const log = await stage.log();
      const first = await stage.host(ledger());
      for (const key of ["odd", "bad", "good"]) {
        await first.troupe.agent(ledger(), key).note({ text: "first" });
      }
      await first.troupe.close();
      await appendEvent(log, "odd", { type: "unheard", data: {} });
      await appendEvent(log, "bad", { type: "noted", data: null });
      const host = await stage.host(ledger());
      const waiting = ["odd", "bad"].map((key) =>
        host.troupe.send(ledger(), key).note({ text: "second" }),
      );
      await Promise.all(waiting);
      assert.equal(await host.troupe.agent(ledger(), "good").note({ text: "second" }), 2);
      await host.heard.has("fault", 4);
      const faults = host.heard.of("fault");
      assert.deepEqual(
        new Set(faults.map(({ failure }) => failure.code)),
        new Set(["fold-failed", "unknown-event"]),
      );
      const named = faults.map(({ what }) => what).join();
      assert.match(named, /ledger\/odd/);
      assert.match(named, /ledger\/bad/);
      assert.equal((await wholeJournal(log, { type: "ledger", key: "odd" })).length, 2);
    },
  },
  {
    name: "a fold that throws on what a handler emits costs one dead letter",
    async run(harness) {
      await using stage = new Stage(harness);
      const fragile = agent("fragile")
        .event("happened", anything<number>(), (state, value) => {
          if (value < 0) throw new RangeError("below zero");
          return state;
        })
        .on("happen", anything<number>(), (ctx, value) => ctx.emit.happened(value));
      const { troupe } = await stage.host(fragile);
      await rejectsWith(troupe.agent(fragile, "a").happen(-1), "remote-turn-failed");
      await troupe.agent(fragile, "a").happen(1);
      assert.deepEqual(await lettersOf(await stage.log()), ["fold-failed"]);
    },
  },
];

/** The log takes no turn that notes this text. */
function refuses(text: string): Tamper {
  return (log) => ({
    commit: async (turns) => {
      const noted = turns.flatMap((turn) => textsOf(decodeRecord(turn.record)));
      if (noted.includes(text)) throw new LogRefusedError("Not this one, says the check.");
      return log.commit(turns);
    },
  });
}

async function appendEvent(
  log: Log,
  key: string,
  event: { readonly type: string; readonly data: unknown },
): Promise<void> {
  const name = { type: "ledger", key };
  const last = (await wholeJournal(log, name)).at(-1);
  if (last === undefined) throw new Error(`${key} has no journal`);
  const record = decodeRecord(last.record);
  const next = encodeRecord({ ...record, turn: record.turn + 1, events: [event] });
  await log.commit([{ agent: name, expectedRevision: last.revision, record: next, outgoing: [] }]);
}
