/**
 * Batch handlers: many messages in one call, and each of them a turn of its own (BATCH-1 to
 * BATCH-5).
 */
import assert from "node:assert/strict";
import { setImmediate as nextTurnOfTheLoop } from "node:timers/promises";

import type { Agent, BatchContext, BatchItem } from "@troupe/core";
import type { None, BatchSettings } from "@troupe/core/engine";
import { agent, Reject, limit } from "@troupe/core";
import { encodeStepRecord } from "@troupe/core/engine";
import { bytes, range } from "../drafts.ts";
import type { LogCheck } from "../log-harness.ts";
import { rejectsWith } from "../observe.ts";
import type { LedgerEvents, LedgerState, Note } from "./ledger.ts";
import { lettersOf, noteSchema, notesOf, recordsOf } from "./ledger.ts";
import { Stage } from "./stage.ts";

type NoteItem = BatchItem<
  LedgerState,
  LedgerEvents,
  { readonly note: { readonly input: Note; readonly reply: unknown } },
  Note
>;
type BulkLedger = Agent<
  LedgerState,
  None & LedgerEvents,
  None & { readonly note: { readonly input: Note; readonly reply: number } }
>;

/** A ledger that notes in bulk; the reply is the number of notes. */
function bulkLedger(
  batch: Partial<BatchSettings>,
  handle: (items: readonly NoteItem[], context: BatchContext) => unknown = () => undefined,
  attemptsMax = 5,
): BulkLedger {
  return agent("ledger")
    .state<LedgerState>({ notes: [] })
    .event("noted", noteSchema, (state, { text }) => ({ notes: [...state.notes, text] }))
    .onBatch(
      "note",
      noteSchema,
      async (context, items) => {
        const counts = items.map((item) => {
          item.emit.noted(item.data);
          return item.state.notes.length;
        });
        await handle(items, context);
        return counts;
      },
      { batch, retry: { attemptsMax } },
    );
}

const patient = { waitMs: 3_600_000 } as const;

function textsIn(items: readonly NoteItem[]): readonly string[] {
  return items.map(({ data }) => data.text);
}

export const batchChecks: readonly LogCheck[] = [
  {
    name: "BATCH-1: one call gets the messages of many agents, and each asker its own reply",
    async run(harness) {
      await using stage = new Stage(harness);
      const sizes: number[] = [];
      const book = bulkLedger({ ...patient, size: 20 }, (items) => sizes.push(items.length));
      const { heard, troupe } = await stage.host(book);
      const keys = range(20).map((i) => `key-${i}`);
      await troupe.send(book, "key-0").note({ text: "before" });
      const counts = await Promise.all(
        keys.slice(1).map((key) => troupe.agent(book, key).note({ text: "hello" })),
      );
      assert.deepEqual(new Set(counts), new Set([1]));
      assert.deepEqual(sizes, [20]);
      const [started] = heard.of("batch.started");
      const log = await stage.log();
      for (const key of keys) {
        const [record] = await recordsOf(log, key);
        assert.equal(record?.batch?.traceparent, started?.traceparent);
        assert.ok(started?.links.includes(record?.traceparent ?? ""));
      }
    },
  },
  {
    name: "BATCH-2: the messages of one agent share a call in order, each on the state of those before it",
    async run(harness) {
      await using stage = new Stage(harness);
      const calls: (readonly string[])[] = [];
      const book = bulkLedger({ ...patient, size: 5, by: "key" }, (items) => {
        calls.push(textsIn(items));
      });
      const { heard, troupe } = await stage.host(book);
      for (const i of range(10)) await troupe.send(book, "alice").note({ text: `${i}` });
      await heard.has("turn.committed", 10);
      const texts = range(10).map(String);
      assert.deepEqual(calls, [texts.slice(0, 5), texts.slice(5)]);
      const records = await recordsOf(await stage.log(), "alice");
      assert.deepEqual(
        records.map(({ reply }) => reply),
        range(10).map((i) => i + 1),
      );
      assert.deepEqual(
        records.map(({ turn }) => turn),
        range(10).map((i) => i + 1),
      );
    },
  },
  {
    name: "BATCH-2: events of one agent are stored in the order of its messages, in whatever order they are emitted",
    async run(harness) {
      await using stage = new Stage(harness);
      const book = agent("ledger")
        .state<LedgerState>({ notes: [] })
        .event("noted", noteSchema, (state, { text }) => ({ notes: [...state.notes, text] }))
        .onBatch(
          "note",
          noteSchema,
          (_, items) => {
            for (const item of items.toReversed()) item.emit.noted(item.data);
          },
          { batch: { ...patient, size: 3 } },
        )
        .on("count", noteSchema, ({ state }) => state.notes.join());
      const { troupe } = await stage.host(book);
      for (const i of range(3)) await troupe.send(book, "alice").note({ text: `${i}` });
      assert.equal(await troupe.agent(book, "alice").count({ text: "" }), "0,1,2");
      assert.deepEqual(await notesOf(await stage.log(), "alice"), ["0", "1", "2"]);
    },
  },
  {
    name: "BATCH-1: of a batch, what is refused becomes a dead letter, and the others commit",
    async run(harness) {
      await using stage = new Stage(harness);
      const sizes: number[] = [];
      const book = bulkLedger({ ...patient, size: 4 }, (items) => {
        sizes.push(items.length);
        items.find(({ data }) => data.text === "c")?.fail(new Reject("unwanted"));
      });
      const { heard, troupe } = await stage.host(book);
      const log = await stage.log();
      await log.accept({
        address: { kind: "agent", name: "ledger", key: "broken" },
        metadata: { id: "broken", message: "note" },
        payload: bytes("{"),
      });
      await heard.has("dead-letter");
      for (const key of ["c", "a", "b", "d"]) await troupe.send(book, key).note({ text: key });
      await heard.has("turn.committed", 5);
      assert.deepEqual(sizes, [4]);
      assert.deepEqual(await lettersOf(log), ["undecodable-payload", "rejected"]);
      for (const key of ["a", "b", "d"]) assert.deepEqual(await notesOf(log, key), [key]);
      assert.deepEqual(await notesOf(log, "c"), []);
    },
  },
  {
    name: "BATCH-3: when the handler throws, each message is tried again alone, and the bad one fails alone",
    async run(harness) {
      await using stage = new Stage(harness);
      const sizes: number[] = [];
      const book = bulkLedger(
        { ...patient, size: 6 },
        (items) => {
          sizes.push(items.length);
          if (textsIn(items).includes("bad")) throw new Error("bad");
        },
        3,
      );
      const { heard, troupe } = await stage.host(book);
      for (const i of range(5)) await troupe.send(book, `key-${i}`).note({ text: `${i}` });
      await troupe.send(book, "key-bad").note({ text: "bad" });
      await heard.has("turn.committed", 6);
      assert.deepEqual(sizes, [6, ...range(7).map(() => 1)]);
      const log = await stage.log();
      assert.deepEqual(await lettersOf(log), ["handler-failed"]);
      for (const i of range(5)) assert.deepEqual(await notesOf(log, `key-${i}`), [`${i}`]);
      assert.deepEqual(await notesOf(log, "key-bad"), []);
    },
  },
  {
    name: "I2: what sits behind a failing message of the same agent is handled after it",
    async run(harness) {
      await using stage = new Stage(harness);
      let failures = 2;
      const book = bulkLedger({ ...patient, size: 4, waitMs: 5 }, (items) => {
        const second = items.find(({ data }) => data.text === "1");
        if (second !== undefined && failures-- > 0) second.fail(new Error("not yet"));
      });
      const { heard, troupe } = await stage.host(book);
      for (const i of range(4)) await troupe.send(book, "alice").note({ text: `${i}` });
      await heard.has("turn.committed", 4);
      const log = await stage.log();
      assert.deepEqual(await notesOf(log, "alice"), ["0", "1", "2", "3"]);
      const records = await recordsOf(log, "alice");
      assert.deepEqual(
        records.map(({ attempts }) => attempts),
        [1, 3, 1, 1],
      );
    },
  },
  {
    name: "I8: a failed message takes with it what others of its agent made of its events",
    async run(harness) {
      await using stage = new Stage(harness);
      const seen: (readonly string[])[] = [];
      const book = bulkLedger({ ...patient, size: 3, waitMs: 20 }, (items) => {
        seen.push(items.at(-1)?.state.notes ?? []);
        items.find(({ data }) => data.text === "0")?.fail(new Reject("unwanted"));
      });
      const { heard, troupe } = await stage.host(book);
      for (const i of range(3)) await troupe.send(book, "alice").note({ text: `${i}` });
      await heard.has("turn.committed", 3);
      assert.deepEqual(await notesOf(await stage.log(), "alice"), ["1", "2"]);
      assert.deepEqual(seen.at(-1), ["1", "2"]);
    },
  },
  {
    name: "a batch starts with what is there when its time is up",
    async run(harness) {
      await using stage = new Stage(harness);
      const sizes: number[] = [];
      const book = bulkLedger({ size: 1000, waitMs: 1 }, (items) => sizes.push(items.length));
      const { troupe } = await stage.host(book);
      assert.equal(await troupe.agent(book, "alice").note({ text: "alone" }), 1);
      assert.deepEqual(sizes, [1]);
    },
  },
  {
    name: "a batch starts when its bytes are reached",
    async run(harness) {
      await using stage = new Stage(harness);
      const sizes: number[] = [];
      const book = bulkLedger({ ...patient, size: 1000, bytes: 500 }, (items) =>
        sizes.push(items.length),
      );
      const { troupe } = await stage.host(book);
      const text = "x".repeat(300);
      await Promise.all(range(4).map((i) => troupe.agent(book, `key-${i}`).note({ text })));
      assert.deepEqual(sizes, [2, 2]);
    },
  },
  {
    name: "a batch handler that does not return one reply per message fails with a named error",
    async run(harness) {
      await using stage = new Stage(harness);
      const book = agent("ledger").onBatch("note", noteSchema, () => ["one", "too many"], {
        retry: { attemptsMax: 1 },
      });
      const { troupe } = await stage.host(book);
      await rejectsWith(troupe.agent(book, "alice").note({ text: "hello" }), "remote-turn-failed");
      assert.deepEqual(await lettersOf(await stage.log()), ["batch-result"]);
    },
  },
  {
    name: "BATCH-5: a batch holds one permit, and none while it gathers or asks",
    async run(harness) {
      await using stage = new Stage(harness);
      const friend = agent("friend").on("greet", noteSchema, async (_, { text }) => text);
      const book = agent("ledger").onBatch(
        "note",
        noteSchema,
        (_, items) =>
          Promise.all(items.map((item) => item.ask(friend, "bob").greet({ text: item.data.text }))),
        { batch: { ...patient, size: 5 } },
      );
      const { troupe } = await stage.host([book, friend], { handlersMax: 1 });
      const replies = await Promise.all(
        range(5).map((i) => troupe.agent(book, `key-${i}`).note({ text: `${i}` })),
      );
      assert.deepEqual(replies, range(5).map(String));
    },
  },
  {
    name: "I6: one effect for many messages is recorded for each, and not repeated",
    async run(harness) {
      await using stage = new Stage(harness);
      const computed: string[] = [];
      let crashes = 1;
      const book = bulkLedger({ ...patient, size: 6, waitMs: 20 }, async (items, context) => {
        const lengths = await context.step("measure", items, (wanted, { idempotencyKeys }) => {
          assert.equal(new Set(idempotencyKeys).size, wanted.length);
          computed.push(...textsIn(wanted));
          return wanted.map(({ data }) => data.text.length);
        });
        assert.deepEqual(
          lengths,
          items.map(({ data }) => data.text.length),
        );
        if (crashes-- > 0) throw new Error("after the effect");
      });
      const { heard, troupe } = await stage.host(book);
      for (const i of range(3)) await troupe.send(book, "alice").note({ text: "a".repeat(i + 1) });
      for (const i of range(3)) await troupe.send(book, `k${i}`).note({ text: "k".repeat(i + 1) });
      await heard.has("turn.committed", 6);
      assert.deepEqual(computed.toSorted(), ["a", "aa", "aaa", "k", "kk", "kkk"]);
    },
  },
  {
    name: "a step of a batch takes a limit once, whatever the batch's size, and gives it back",
    async run(harness) {
      await using stage = new Stage(harness);
      const narrow = limit("narrow", { concurrency: 1 });
      let atWork = 0;
      const seen: number[] = [];
      const book = bulkLedger({ size: 4, waitMs: 5 }, async (items, context) => {
        const look = async (wanted: readonly NoteItem[]): Promise<readonly string[]> => {
          atWork += 1;
          seen.push(atWork);
          await nextTurnOfTheLoop();
          atWork -= 1;
          return textsIn(wanted);
        };
        await context.step("look", items, look, { limit: narrow });
      });
      const { troupe } = await stage.host(book);
      await Promise.all(
        range(12).map((i) => troupe.agent(book, `key-${i}`).note({ text: `${i}` })),
      );
      assert.ok(seen.length >= 3);
      assert.equal(Math.max(...seen), 1);
    },
  },
  {
    name: "BATCH-4: a message whose turn is given up in the middle of its batch runs again, the others commit",
    async run(harness) {
      await using stage = new Stage(harness);
      const log = await stage.log();
      let calls = 0;
      const book = bulkLedger({ ...patient, size: 3, waitMs: 20 }, async (items, context) => {
        calls += 1;
        if (calls > 1) return;
        // Another owner writes to the journal of b: the fence will refuse what comes next.
        const record = encodeStepRecord({
          log: "",
          inputPosition: 1e9,
          steps: [],
          worker: "rival",
        });
        const who = { type: "ledger", key: "b" };
        await log.commit([{ agent: who, expectedRevision: 0, record, outgoing: [] }]);
        await context.step("look", items, (wanted) => wanted.map(() => "seen"));
        for (const item of items) item.emit.noted({ text: `${item.data.text} again` });
      });
      const keys = ["a", "b", "c"];
      // All lie in the log before the worker comes, so its first batch is full.
      const { troupe, worker } = await stage.host(book);
      await worker.stop();
      for (const key of keys) await troupe.send(book, key).note({ text: key });
      const { heard } = await stage.host(book);
      await heard.has("turn.committed", 3);
      assert.equal(calls, 2);
      assert.deepEqual(await Promise.all(keys.map((key) => notesOf(log, key))), [
        ["a", "a again"],
        ["b"],
        ["c", "c again"],
      ]);
    },
  },
];
