/** Forking an agent: a new journal that begins with the state of another one. */
import assert from "node:assert/strict";

import { decodeJournalRecord } from "@troupe/core/operate";
import type { LogCheck } from "../log-harness.ts";
import { rejectsWith, wholeJournal } from "../observe.ts";
import { ledger, notesOf, recordsOf } from "./ledger.ts";
import { Stage } from "./stage.ts";

const target = ledger();
/** Sends everything on, to one and the same agent. */
const source = ledger((context, note) => context.send(target, "bob").note(note), "source");

export const forkChecks: readonly LogCheck[] = [
  {
    name: "a fork goes on from a turn of the original, and nothing of before is sent again",
    async run(harness) {
      await using stage = new Stage(harness);
      const { troupe } = await stage.host([source, target]);
      const log = await stage.log();
      const note = (key: string, text: string): Promise<number> =>
        troupe.agent(source, key).note({ text });
      for (const text of ["one", "two", "three"]) await note("alice", text);
      const { from, revision, turn } = await troupe.fork(source, "alice", { to: "copy", turn: 2 });
      const [, second] = await wholeJournal(log, { type: "source", key: "alice" });
      assert.deepEqual([turn, from.turn, from.revision], [2, 2, second?.revision]);
      assert.equal(await note("copy", "of the copy"), 3);
      assert.equal(await note("alice", "four"), 4);
      await stage.until("all is sent", async () => (await notesOf(log, "bob")).length >= 5);
      assert.deepEqual(
        (await notesOf(log, "bob")).toSorted(),
        ["one", "two", "three", "of the copy", "four"].toSorted(),
      );
      const records = await recordsOf(log, "copy", "source");
      assert.deepEqual(
        records.map((record) => record.turn),
        [3],
      );
      const begins: number[] = [];
      const onBeginning = (beginning: { readonly turn: number }): void =>
        void begins.push(beginning.turn);
      const replayed = await Array.fromAsync(troupe.replay(source, "copy", { onBeginning }));
      assert.deepEqual(begins, [3]);
      assert.deepEqual(replayed.at(-1)?.state, { notes: ["one", "two", "of the copy"] });
      const [first] = await wholeJournal(log, { type: "source", key: "copy" });
      const record = decodeJournalRecord(first?.record ?? new Uint8Array());
      assert.deepEqual(record.kind === "base" && record.base.from, from);
      // The one whose answer was lost is found again.
      const again = await troupe.fork(source, "alice", { to: "copy", turn: 2 });
      assert.equal(again.revision, revision);
    },
  },
  {
    name: "a fork is refused where there is a journal, and of turns that are not there",
    async run(harness) {
      await using stage = new Stage(harness);
      const { troupe } = await stage.host([source, target]);
      const log = await stage.log();
      for (const key of ["alice", "carol"]) await troupe.agent(source, key).note({ text: key });
      const before = await log.end();
      await rejectsWith(troupe.fork(source, "alice", { to: "carol" }), "fork-refused");
      await rejectsWith(troupe.fork(source, "alice", { to: "alice" }), "fork-refused");
      await rejectsWith(troupe.fork(source, "alice", { to: "copy", turn: 2 }), "fork-refused");
      await rejectsWith(troupe.fork(source, "nobody", { to: "copy" }), "fork-refused");
      assert.deepEqual(await log.journal({ type: "source", key: "copy" }, 0), []);
      assert.equal((await recordsOf(log, "carol", "source")).length, 1);
      assert.ok((await log.end()).last >= before.last);
    },
  },
];
