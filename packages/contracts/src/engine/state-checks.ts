/** An agent's state without a turn: what it says, also of agents that are new, parked or gone. */
import assert from "node:assert/strict";

import { agent, agentNamed, type Agent } from "@troupe/core";
import type { LogCheck } from "../log-harness.ts";
import { rejectsWith, wholeJournal } from "../observe.ts";
import { anything, ledger, noteSchema, type LedgerState } from "./ledger.ts";
import { Stage } from "./stage.ts";

const book = ledger();

/** Parks on what it cannot do, and ends when it is told to. */
const clerk = agent("clerk")
  .state<readonly string[]>([])
  .event("noted", noteSchema, (state, { text }) => [...state, text])
  .on(
    "note",
    noteSchema,
    (context, { text }) => {
      if (text === "locked") throw new Error("the cabinet is locked");
      context.emit.noted({ text });
    },
    { retry: { attemptsMax: 1, exhausted: "park" } },
  )
  .on("finish", anything<null>(), (context) => context.end());

async function hasSnapshot(stage: Stage): Promise<void> {
  const log = await stage.log();
  await stage.until("a snapshot is there", async () => {
    return (await log.snapshot({ type: "ledger", key: "alice" })) !== undefined;
  });
}

export const stateChecks: readonly LogCheck[] = [
  {
    name: "a state is read without a turn, with its turn and position, and without a worker",
    async run(harness) {
      await using stage = new Stage(harness);
      const first = await stage.host(book, { snapshotTurns: 3 });
      for (const text of ["a", "b", "c", "d"])
        await first.troupe.agent(book, "alice").note({ text });
      await hasSnapshot(stage);
      await first.worker.stop();
      const reader = await stage.client();
      const now = await reader.state(book, "alice");
      const records = await wholeJournal(await stage.log(), { type: "ledger", key: "alice" });
      assert.deepEqual(now, {
        status: "active",
        state: { notes: ["a", "b", "c", "d"] },
        turn: 4,
        position: records.at(-1)?.revision,
      });
      assert.deepEqual(await Array.fromAsync(reader.keys(book)), ["alice"]);
      assert.deepEqual(await Array.fromAsync(reader.keys(book, { prefix: "b" })), []);
      const nobody = await reader.state(book, "nobody");
      assert.deepEqual(nobody, { status: "none", state: undefined, turn: 0, position: 0 });
      const after = await wholeJournal(await stage.log(), { type: "ledger", key: "alice" });
      assert.equal(after.length, records.length);
    },
  },
  {
    name: "a parked agent has a state, and says at which message it stands; an ended one has none",
    async run(harness) {
      await using stage = new Stage(harness);
      const { troupe } = await stage.host(clerk);
      const alice = troupe.agent(clerk, "alice");
      await alice.note({ text: "a" });
      await rejectsWith(alice.note({ text: "locked" }), "agent-parked");
      const parked = await troupe.state(clerk, "alice");
      assert.ok(parked.status === "parked");
      assert.deepEqual([parked.state, parked.turn], [["a"], 1]);
      assert.match(parked.failure.message, /cabinet/);
      assert.ok(parked.parkedAt > 0 && parked.parkedAt < parked.position);
      await troupe.agent(clerk, "bob").note({ text: "b" });
      await troupe.agent(clerk, "bob").finish(null);
      const ended = await troupe.state(clerk, "bob");
      assert.deepEqual([ended.status, ended.state, ended.turn], ["ended", undefined, 2]);
      await troupe.agent(clerk, "bob").note({ text: "again" });
      assert.deepEqual((await troupe.state(clerk, "bob")).state, ["again"]);
    },
  },
  {
    name: "an erased agent has no state until it has a turn again, and that is said by name",
    async run(harness) {
      await using stage = new Stage(harness);
      const { troupe } = await stage.host(book);
      await troupe.agent(book, "alice").note({ text: "secret" });
      await troupe.erase(book, "alice");
      await rejectsWith(troupe.state(book, "alice"), "agent-erased");
      await troupe.agent(book, "alice").note({ text: "anew" });
      assert.deepEqual((await troupe.state(book, "alice")).state, { notes: ["anew"] });
    },
  },
  {
    name: "without a definition the newest stored state is read, and what came after it is not",
    async run(harness) {
      await using stage = new Stage(harness);
      const { troupe } = await stage.host(book, { snapshotTurns: 2 });
      assert.equal(await troupe.recordedState("ledger", "alice"), undefined);
      for (const text of ["a", "b"]) await troupe.agent(book, "alice").note({ text });
      await hasSnapshot(stage);
      await troupe.agent(book, "alice").note({ text: "c" });
      const recorded = await troupe.recordedState("ledger", "alice");
      assert.deepEqual(
        [recorded?.state, recorded?.turn, recorded?.from],
        [{ notes: ["a", "b"] }, 2, "snapshot"],
      );
      const named = agentNamed("ledger") as unknown as Agent<LedgerState, never, never>;
      await rejectsWith(troupe.state(named, "alice"), "definition");
      await troupe.erase(book, "alice");
      assert.equal(await troupe.recordedState("ledger", "alice"), undefined);
    },
  },
];
