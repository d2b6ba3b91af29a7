/** Messages that are given up in the middle of their batch, while its handler goes on (BATCH-4). */
import assert from "node:assert/strict";

import { agent, limit } from "@troupe/core";
import type { Agent, BatchItem, RetryPolicy } from "@troupe/core";
import type { None, BatchSettings, LateReplies } from "@troupe/core/engine";
import { turnsOf } from "@troupe/core/operate";
import type { LogCheck } from "../log-harness.ts";
import { rejectsWith } from "../observe.ts";
import type { LedgerEvents, LedgerState, Note } from "./ledger.ts";
import { ledger, lettersOf, noteSchema, notesOf } from "./ledger.ts";
import { Stage } from "./stage.ts";

interface Messages {
  readonly note: { readonly input: Note; readonly reply: unknown };
  readonly count: { readonly input: Note; readonly reply: number };
}
type Item = BatchItem<LedgerState, LedgerEvents, Messages, Note>;
type Book = Agent<LedgerState, None & LedgerEvents, None & Messages>;

function book(
  batch: Partial<BatchSettings>,
  handle: (items: readonly Item[]) => Promise<readonly unknown[] | void>,
  retry: Partial<RetryPolicy> = {},
): Book {
  return agent("ledger")
    .state<LedgerState>({ notes: [] })
    .event("noted", noteSchema, (state, { text }) => ({ notes: [...state.notes, text] }))
    .onBatch("note", noteSchema, (_, items) => handle(items as readonly Item[]), { batch, retry })
    .on("count", noteSchema, ({ state }): number => state.notes.length);
}

function aborted({ signal }: Pick<Item, "signal">): Promise<void> {
  return new Promise((resolve) => {
    signal.addEventListener("abort", () => resolve(), { once: true });
  });
}

export const givenUpBatchChecks: readonly LogCheck[] = [
  {
    name: "BATCH-4: what a batch handler does with a message after that was given up has no effect",
    async run(harness) {
      await using stage = new Stage(harness);
      const friend = ledger(undefined, "friend");
      const began = Promise.withResolvers<void>();
      const bulk = book({ size: 2, waitMs: 3_600_000 }, async (items) => {
        const given = items.find(({ agent: { key } }) => key === "alice");
        if (given === undefined) throw new Error("Alice is not in the batch.");
        const over = aborted(given);
        began.resolve();
        await over;
        for (const item of items) {
          item.emit.noted({ text: item.agent.key });
          item.send(friend, item.agent.key).note({ text: item.agent.key });
          item.after(3_600_000).note({ text: "later" });
          item.cancel("some-timer");
        }
      });
      const { heard, troupe, worker } = await stage.host([bulk, friend], { snapshotTurns: 1 });
      const asker = new AbortController();
      const { signal } = asker;
      const asked = troupe.agent(bulk, "alice", { signal }).note({ text: "" });
      await troupe.send(bulk, "bob").note({ text: "" });
      const cancelled = rejectsWith(asked, "ask-cancelled");
      await began.promise;
      asker.abort();
      await cancelled;
      const log = await stage.log();
      await stage.until("the friend of Bob noted it", async () => {
        return (await notesOf(log, "bob", "friend")).length > 0;
      });
      const of = (key: string): Promise<string[]> => notesOf(log, key);
      assert.deepEqual([await of("alice"), await of("bob")], [[], ["bob"]]);
      // Both turns are committed by now.
      const toFriend = await log.inputsOf({ type: "friend", key: "alice" }, [], 0, Infinity);
      assert.deepEqual(toFriend, []);
      const given = heard
        .of("turn.committed")
        .find(({ agent: { key, type } }) => key === "alice" && type === "ledger");
      assert.deepEqual(given?.record.sent, []);
      assert.equal(given.record.timers, undefined);
      // The worker's memory, and the snapshot it saved, are what the journal says (I8).
      await heard.has("snapshot.saved", 3);
      await worker.stop();
      const successor = await stage.host(bulk);
      assert.equal(await successor.troupe.agent(bulk, "alice").count({ text: "" }), 0);
    },
  },
  {
    name: "BATCH-4: an ask of a message that is given up does not fail the others of its batch",
    async run(harness) {
      await using stage = new Stage(harness);
      const [asked, answer] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
      let calls = 0;
      let asks = 0;
      const friend = ledger(async () => {
        asks += 1;
        if (asks === 2) asked.resolve();
        await answer.promise;
      }, "friend");
      const bulk = book({ size: 2, waitMs: 3_600_000 }, async (items) => {
        calls += 1;
        const counts = items.map((item) => item.ask(friend, item.agent.key).note(item.data));
        const given = items.find(({ agent: { key } }) => key === "alice");
        if (given !== undefined) void aborted(given).then(() => answer.resolve());
        return Promise.all(counts);
      });
      const { troupe } = await stage.host([bulk, friend]);
      const asker = new AbortController();
      const { signal } = asker;
      const ofAlice = troupe.agent(bulk, "alice", { signal }).note({ text: "a" });
      const ofBob = troupe.agent(bulk, "bob").note({ text: "b" });
      const cancelled = rejectsWith(ofAlice, "ask-cancelled");
      await asked.promise;
      asker.abort();
      await cancelled;
      assert.equal(await ofBob, 1);
      assert.equal(calls, 1);
      assert.deepEqual(await lettersOf(await stage.log()), ["ask-cancelled"]);
    },
  },
  {
    name: "BATCH-4: when all messages of a batch are given up, so are the asks of its handler",
    async run(harness) {
      await using stage = new Stage(harness);
      const asked = Promise.withResolvers<void>();
      let asks = 0;
      const friend = ledger(async (context) => {
        asks += 1;
        if (asks === 2) asked.resolve();
        await aborted(context);
      }, "friend");
      const bulk = book({ size: 2, waitMs: 3_600_000 }, (items) =>
        Promise.all(items.map((item) => item.ask(friend, item.agent.key).note(item.data))),
      );
      const { heard, troupe } = await stage.host([bulk, friend]);
      const asker = new AbortController();
      const { signal } = asker;
      const given = ["alice", "bob"].map((key) =>
        rejectsWith(troupe.agent(bulk, key, { signal }).note({ text: "" }), "ask-cancelled"),
      );
      await asked.promise;
      asker.abort();
      await Promise.all(given);
      await heard.has("turn.committed", 4);
      const codes = await lettersOf(await stage.log());
      assert.deepEqual(new Set(codes), new Set(["ask-cancelled"]));
      assert.equal(codes.length, 4);
    },
  },
  {
    name: "BATCH-4: a message that is given up while it waits for a limit does not fail the others",
    async run(harness) {
      await using stage = new Stage(harness);
      const narrow = limit("narrow", { concurrency: 1 });
      const effect = Promise.withResolvers<void>();
      let calls = 0;
      const bulk = book({ size: 2, waitMs: 3_600_000 }, async (items) => {
        calls += 1;
        const [bob, alice] = ["bob", "alice"].map((name) =>
          items.find(({ agent: { key } }) => key === name),
        );
        if (bob === undefined || alice === undefined) throw new Error("Somebody is missing.");
        const holds = bob.step("hold", () => effect.promise, { limit: narrow });
        const waits = alice.step("wait", async () => null, { limit: narrow });
        void aborted(alice).then(() => effect.resolve());
        await Promise.all([holds, waits]);
      });
      const { heard, troupe } = await stage.host(bulk);
      const asker = new AbortController();
      const { signal } = asker;
      const ofAlice = troupe.agent(bulk, "alice", { signal }).note({ text: "a" });
      const ofBob = troupe.agent(bulk, "bob").note({ text: "b" });
      const cancelled = rejectsWith(ofAlice, "ask-cancelled");
      await stage.until("alice waits for the limit", () =>
        heard.of("limit.waiting").some(({ step }) => step === "wait"),
      );
      asker.abort();
      await Promise.all([cancelled, ofBob]);
      assert.equal(calls, 1);
      assert.deepEqual(await lettersOf(await stage.log()), ["ask-cancelled"]);
    },
  },
  {
    name: "BATCH-4: a message that is given up while its step is recorded does not fail the others",
    async run(harness) {
      await using stage = new Stage(harness);
      const [appends, gate] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
      let calls = 0;
      const bulk = book({ size: 2, waitMs: 3_600_000 }, async (items) => {
        calls += 1;
        for (const item of items) void aborted(item).then(() => gate.resolve());
        return Promise.all(items.map((item) => item.step("call", async () => item.agent.key)));
      });
      const { troupe } = await stage.host(bulk, {
        tamper: (log) => ({
          commit: async (turns) => {
            if (turns.some(({ agent: { key } }) => key === "alice")) {
              appends.resolve();
              await gate.promise;
            }
            return log.commit(turns);
          },
        }),
      });
      const asker = new AbortController();
      const { signal } = asker;
      const ofAlice = troupe.agent(bulk, "alice", { signal }).note({ text: "" });
      const ofBob = troupe.agent(bulk, "bob").note({ text: "" });
      const cancelled = rejectsWith(ofAlice, "ask-cancelled");
      await appends.promise;
      asker.abort();
      await cancelled;
      assert.equal(await ofBob, "bob");
      assert.equal(calls, 1);
    },
  },
  {
    name: "I6: a batch handler that was given up does not touch the steps of the next run",
    async run(harness) {
      await using stage = new Stage(harness);
      const gate = Promise.withResolvers<void>();
      const old = Promise.withResolvers<void>();
      let runs = 0;
      const first = async (item: Item): Promise<void> => {
        await item.step("draft", async () => {
          await gate.promise;
          return "first draft";
        });
        await item.step("print", async () => "first print");
        item.random();
      };
      const second = async (item: Item): Promise<unknown> => {
        const draft = await item.step("draft", async () => "second draft");
        gate.resolve();
        await old.promise;
        return [draft, await item.step("print", async () => "second print")];
      };
      const bulk = book(
        { size: 1 },
        async (items) => {
          const [item] = items;
          if (item === undefined) return;
          runs += 1;
          if (runs === 1) return first(item).then(old.resolve, old.reject);
          return [await second(item)];
        },
        { timeoutMs: 100 },
      );
      const { troupe } = await stage.host(bulk);
      const reply = await troupe.agent(bulk, "alice").note({ text: "" });
      assert.deepEqual(reply, ["second draft", "second print"]);
      for await (const { steps } of turnsOf(await stage.log(), { type: "ledger", key: "alice" })) {
        assert.deepEqual(
          steps.map(({ name, value }) => [name, value]),
          [
            ["draft", "second draft"],
            ["print", "second print"],
          ],
        );
      }
    },
  },
  {
    name: "I6: a step that waits for an append when its run is given up is recorded once",
    async run(harness) {
      await using stage = new Stage(harness);
      const [appends, gate] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
      let runs = 0;
      const bulk = book(
        { size: 1 },
        async (items) => {
          runs += 1;
          const steps = items.flatMap((item) => [
            item.step("draft", async () => "draft"),
            item.step("print", () => appends.promise.then(() => "print")),
          ]);
          if (runs > 1) gate.resolve();
          return [await Promise.all(steps)];
        },
        { timeoutMs: 100 },
      );
      const { troupe } = await stage.host(bulk, {
        // The first append is on its way until the second run is there.
        tamper: (log) => ({
          commit: async (turns) => {
            appends.resolve();
            await gate.promise;
            return log.commit(turns);
          },
        }),
      });
      assert.deepEqual(await troupe.agent(bulk, "alice").note({ text: "" }), ["draft", "print"]);
      for await (const { steps } of turnsOf(await stage.log(), { type: "ledger", key: "alice" })) {
        assert.deepEqual(
          steps.map(({ name }) => name),
          ["draft", "print"],
        );
      }
    },
  },
  {
    name: "BATCH-4: a message that is given up behind another one of its agent draws and answers nothing",
    async run(harness) {
      await using stage = new Stage(harness);
      const began = Promise.withResolvers<void>();
      const bulk = book({ size: 2, waitMs: 3_600_000 }, async (items) => {
        const given = items.find(({ data }) => data.text === "given up");
        if (given === undefined) throw new Error("It is not in the batch.");
        const over = aborted(given);
        began.resolve();
        await over;
        given.random();
        await given.step("sum", () => 1 + 1);
        await given.step("call", async () => "answered");
        const late = given as unknown as LateReplies;
        late.answerLater();
        late.answerNow([]);
      });
      const { troupe } = await stage.host(bulk);
      await troupe.send(bulk, "alice").note({ text: "first" });
      const asker = new AbortController();
      const { signal } = asker;
      const asked = troupe.agent(bulk, "alice", { signal }).note({ text: "given up" });
      const cancelled = rejectsWith(asked, "ask-cancelled");
      await began.promise;
      asker.abort();
      await cancelled;
      assert.equal(await troupe.agent(bulk, "alice").count({ text: "" }), 0);
      const turns = await Array.fromAsync(
        turnsOf(await stage.log(), { type: "ledger", key: "alice" }),
      );
      assert.deepEqual(
        turns.map(({ steps }) => steps),
        [[], [], []],
      );
      assert.deepEqual(
        turns.map(({ record }) => record.answering),
        [undefined, undefined, undefined],
      );
    },
  },
  {
    name: "BATCH-2: a message that was given up in the queue does not come to the handler with those before it",
    async run(harness) {
      await using stage = new Stage(harness);
      const gate = Promise.withResolvers<void>();
      const seen: string[] = [];
      const bulk = book({ size: 3, waitMs: 5 }, async (items) => {
        seen.push(...items.map(({ data }) => data.text));
        if (seen.length === 1) await gate.promise;
      });
      const told = Promise.withResolvers<void>();
      const { heard, troupe } = await stage.host(bulk, {
        tamper: (log) => ({
          onAskCancelled: (listener) =>
            log.onAskCancelled((replyTo) => {
              listener(replyTo);
              told.resolve();
            }),
        }),
      });
      await troupe.send(bulk, "alice").note({ text: "0" });
      await heard.has("batch.started");
      await troupe.send(bulk, "alice").note({ text: "1" });
      const asker = new AbortController();
      const { signal } = asker;
      const asked = troupe.agent(bulk, "alice", { signal }).note({ text: "2" });
      const cancelled = rejectsWith(asked, "ask-cancelled");
      await troupe.send(bulk, "alice").note({ text: "3" });
      asker.abort();
      await cancelled;
      await told.promise;
      gate.resolve();
      await troupe.agent(bulk, "alice").note({ text: "4" });
      assert.deepEqual(seen, ["0", "1", "3", "4"]);
    },
  },
  {
    name: "I7: a message that is handled again after the one before it gives its place back",
    async run(harness) {
      await using stage = new Stage(harness);
      const gate = Promise.withResolvers<void>();
      const seen: string[] = [];
      const bulk = book(
        { size: 2, waitMs: 30 },
        async (items) => {
          seen.push(...items.map(({ data, message }) => `${data.text}.${message.attempt}`));
        },
        { timeoutMs: 1000 },
      );
      let isSlow = true;
      const { troupe } = await stage.host(bulk, {
        handlersMax: 1,
        interceptors: [
          {
            // It takes its time before the second message has a slot, and holds the only place.
            receive: (call, next) => {
              if ((call.payload as Note).text !== "1" || !isSlow) return next(call);
              isSlow = false;
              return gate.promise.then(() => next(call));
            },
          },
        ],
      });
      await troupe.send(bulk, "alice").note({ text: "0" });
      await troupe.agent(bulk, "alice").note({ text: "1" });
      assert.deepEqual(seen, ["0.2", "1.1"]);
      gate.resolve();
    },
  },
  {
    name: "I3: a turn that is given up while an interceptor takes its time comes to no handler",
    async run(harness) {
      await using stage = new Stage(harness);
      const gates = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
      const seen: string[] = [];
      const bulk = book({ size: 1 }, async (items) => {
        seen.push(...items.map(({ data }) => data.text));
      });
      const single = agent("single").on("note", noteSchema, (_, { text }) => void seen.push(text));
      let calls = 0;
      const { heard, troupe } = await stage.host([bulk, single], {
        interceptors: [
          {
            receive: (call, next) => {
              const gate = gates[calls++];
              return gate === undefined ? next(call) : gate.promise.then(() => next(call));
            },
          },
        ],
      });
      const late = { timeoutMs: 50 };
      const bulkLate = troupe.agent(bulk, "alice", late).note({ text: "late" });
      await rejectsWith(bulkLate, "ask-deadline");
      const singleLate = troupe.agent(single, "alice", late).note({ text: "late" });
      await rejectsWith(singleLate, "ask-deadline");
      await heard.has("turn.committed", 2);
      for (const gate of gates) gate.resolve();
      await troupe.agent(bulk, "alice").note({ text: "next" });
      await troupe.agent(single, "alice").note({ text: "next" });
      assert.deepEqual(seen, ["next", "next"]);
    },
  },
];
