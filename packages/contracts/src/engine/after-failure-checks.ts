/**
 * Reaction of an agent to a message that failed for good (`onFailed`): it commits with the failure.
 */
import assert from "node:assert/strict";

import type { Agent, HandlerOptions } from "@troupe/core";
import type { None } from "@troupe/core/engine";
import { agent, Reject } from "@troupe/core";
import { range } from "../drafts.ts";
import type { LogCheck } from "../log-harness.ts";
import { rejectsWith } from "../observe.ts";
import type { LedgerEvents, LedgerMessages, LedgerState, Note } from "./ledger.ts";
import { ledger, lettersOf, noteSchema, notesOf, recordsOf } from "./ledger.ts";
import { Stage } from "./stage.ts";

type OnFailed = NonNullable<
  HandlerOptions<LedgerState, None & LedgerEvents, None & LedgerMessages, Note>["onFailed"]
>;

/** A ledger that refuses every note it makes. */
function refusing(onFailed: OnFailed, thrown: Error = new Reject("unwanted")): Refusing {
  return agent("book")
    .state<LedgerState>({ notes: [] })
    .event("noted", noteSchema, (state, { text }) => ({ notes: [...state.notes, text] }))
    .on(
      "note",
      noteSchema,
      (context, note): number => {
        context.emit.noted(note);
        context.send(other, "bob").note(note);
        if (note.text.startsWith("bad")) throw thrown;
        return context.state.notes.length;
      },
      { onFailed, retry: { attemptsMax: 2 } },
    );
}

type Refusing = Agent<LedgerState, None & LedgerEvents, None & LedgerMessages>;

const other = ledger();

export const afterFailureChecks: readonly LogCheck[] = [
  {
    name: "I3: what onFailed emits and sends commits with the failure, and nothing of the handler's does",
    async run(harness) {
      await using stage = new Stage(harness);
      const told: string[] = [];
      const book = refusing((context, failure, { text }) => {
        told.push(`${failure.code} ${text} after ${context.state.notes.length}`);
        context.emit.noted({ text: `no ${text}` });
        context.send(other, "bob").note({ text: `no ${text}` });
      });
      const { heard, troupe } = await stage.host([book, other]);
      await troupe.agent(book, "alice").note({ text: "1" });
      await rejectsWith(troupe.agent(book, "alice").note({ text: "bad" }), "rejected");
      assert.equal(await troupe.agent(book, "alice").note({ text: "3" }), 3);
      await heard.has("turn.committed", 6);
      const log = await stage.log();
      assert.deepEqual(await notesOf(log, "alice", "book"), ["1", "no bad", "3"]);
      assert.deepEqual(await notesOf(log, "bob"), ["1", "no bad", "3"]);
      assert.deepEqual(await lettersOf(log), []);
      assert.deepEqual(told, ["rejected bad after 1"]);
    },
  },
  {
    name: "onFailed is called once, when the last run has failed",
    async run(harness) {
      await using stage = new Stage(harness);
      let calls = 0;
      const book = refusing(() => void calls++, new Error("not now"));
      const { heard, troupe } = await stage.host([book, other]);
      await troupe.send(book, "alice").note({ text: "bad" });
      await heard.has("turn.committed");
      assert.equal(heard.of("turn.retrying").length, 1);
      assert.equal(calls, 1);
    },
  },
  {
    name: "I10: an onFailed that throws, sends too much or is asynchronous keeps nothing, and the message is a dead letter",
    async run(harness) {
      await using stage = new Stage(harness);
      const { commitMessagesMax } = (await stage.log()).limits;
      const book = refusing((context, _, { text }) => {
        context.emit.noted({ text: "half" });
        if (text === "bad 1") throw new Error("no");
        if (text === "bad 2") return Promise.reject(new Error("no")) as unknown as undefined;
        for (const i of range(commitMessagesMax - 1)) {
          context.send(other, "bob").note({ text: `${i}` });
        }
        return undefined;
      });
      const { heard, troupe } = await stage.host([book, other]);
      for (const i of range(3)) {
        await troupe.send(book, "alice").note({ text: `bad ${i + 1}` });
      }
      await heard.has("turn.committed", 3);
      const log = await stage.log();
      const records = await recordsOf(log, "alice", "book");
      assert.deepEqual(records.map(({ events, sent }) => [events, sent]).flat(2), []);
      assert.deepEqual(
        await lettersOf(log),
        range(3).map(() => "rejected"),
      );
      assert.equal(heard.of("fault").length, 3);
    },
  },
  {
    name: "I2: what sits in a batch behind a message that failed sees what onFailed emitted",
    async run(harness) {
      await using stage = new Stage(harness);
      const book = agent("book")
        .state<LedgerState>({ notes: [] })
        .event("noted", noteSchema, (state, { text }) => ({ notes: [...state.notes, text] }))
        .onBatch(
          "note",
          noteSchema,
          (_, items) =>
            items.map((item) =>
              item.data.text === "bad" ? item.fail(new Reject("bad")) : item.state.notes.length,
            ),
          {
            batch: { size: 2, waitMs: 3_600_000, by: "key" },
            onFailed: (context) => context.emit.noted({ text: "failed" }),
          },
        );
      const { troupe } = await stage.host(book);
      const refused = rejectsWith(troupe.agent(book, "a").note({ text: "bad" }), "rejected");
      const seen = troupe.agent(book, "a").note({ text: "good" });
      await refused;
      // Alone in the next batch, which waits for one more.
      const more = troupe.agent(book, "a").note({ text: "more" });
      assert.deepEqual(await Promise.all([seen, more]), [1, 1]);
    },
  },
  {
    name: "onFailed is not called for a message that its schema refuses",
    async run(harness) {
      await using stage = new Stage(harness);
      let calls = 0;
      const { troupe } = await stage.host([refusing(() => void calls++), other]);
      const unchecked = { type: "book" } as typeof other;
      const bad = { text: 5 } as unknown as Note;
      await rejectsWith(troupe.agent(unchecked, "alice").note(bad), "schema");
      assert.equal(calls, 0);
    },
  },
];
