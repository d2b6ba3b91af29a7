/**
 * Timers that turns set and cancel: with their commit (I3), and without anything held while they
 * wait (I11).
 */
import assert from "node:assert/strict";

import { agent } from "@troupe/core";
import type { Input, Log } from "@troupe/core/log";
import type { LogCheck } from "../log-harness.ts";
import { everything, rejectsWith } from "../observe.ts";
import { anything, notesOf, noteSchema, recordsOf, type Note } from "./ledger.ts";
import { Stage } from "./stage.ts";

const soonMs = 400;

/** Notes what comes, and the timer it came from. */
const diary = agent("diary")
  .state<readonly string[]>([])
  .event("noted", noteSchema, (state, { text }) => [...state, text])
  .on("note", noteSchema, (context, { text }) => {
    context.emit.noted({ text: `${text} ${context.message.timer ?? "-"}` });
  });

/** Does with timers what its messages say. */
const planner = agent("planner")
  .state<readonly string[]>([])
  .event("noted", noteSchema, (state, { text }) => [...state, text])
  .on("note", noteSchema, (context, { text }) => {
    context.emit.noted({ text: `${text} ${context.message.timer ?? "-"}` });
  })
  .on("self", noteSchema, (context, note) => context.after(soonMs).note(note))
  .on("named", noteSchema, (context, note) => context.after(soonMs, { id: "named" }).note(note))
  .on("other", noteSchema, (context, note) =>
    context.at(new Date(Date.now() + soonMs), { agent: diary, key: "theirs" }).note(note),
  )
  .on("beat", anything<null>(), (context) =>
    context.every(1000, { id: "beat" }).note({ text: "beat" }),
  )
  .on("cancel", noteSchema, (context, { text }) => context.cancel(text))
  .on("fail", noteSchema, (context, note) => {
    context.cancel("named");
    context.after(0).note(note);
    throw new Error("never");
  })
  .on("wrong", noteSchema, (context, { text }) => {
    if (text === "delay") context.after(-1).note({ text });
    if (text === "date") context.at(new Date(Number.NaN)).note({ text });
    if (text === "interval") context.every(1500).note({ text });
    if (text === "id") context.cancel("");
  });

export const timerChecks: readonly LogCheck[] = [
  {
    name: "I3: a timer of a turn comes back to the agent as a message, with its cause and trace",
    async run(harness) {
      await using stage = new Stage(harness);
      const { troupe, heard } = await stage.host([planner, diary]);
      const setAtMs = Date.now();
      const id = await troupe.agent(planner, "alice").self({ text: "hello" });
      await heard.has("turn.committed", 2);
      const log = await stage.log();
      const [setting, fired] = await recordsOf(log, "alice", "planner");
      assert.deepEqual(
        fired?.events.map(({ data }) => data),
        [{ text: `hello ${id}` }],
      );
      assert.deepEqual(
        setting?.timers?.map((timer) => timer.id),
        [id],
      );
      const [input] = await firedInputs(log);
      assert.ok(input !== undefined && setting !== undefined);
      assert.ok(input.acceptedAtMs >= setAtMs + soonMs, "it came too early");
      const { causationId, id: messageId, sender, traceparent } = input.metadata;
      assert.equal(sender, "planner/alice");
      assert.equal(causationId, setting.messageId);
      assert.equal(traceparent, setting.traceparent);
      assert.equal(messageId, fired?.messageId);
    },
  },
  {
    name: "a timer's message may be for another agent, and wait for a worker that hosts it",
    async run(harness) {
      await using stage = new Stage(harness);
      const first = await stage.host(planner);
      await first.troupe.agent(planner, "alice").other({ text: "hello" });
      const log = await stage.log();
      await stage.until("the timer fired", async () => (await firedInputs(log)).length === 1);
      await first.worker.stop();
      await stage.host(diary);
      await stage.until("it is handled", async () => {
        return (await notesOf(log, "theirs", "diary")).length === 1;
      });
    },
  },
  {
    name: "a timer set again under its id is replaced; a cancelled one never comes",
    async run(harness) {
      await using stage = new Stage(harness);
      const { troupe } = await stage.host(planner);
      const alice = troupe.agent(planner, "alice");
      assert.equal(await alice.named({ text: "1" }), "named");
      await alice.named({ text: "2" });
      const cancelled = await alice.self({ text: "cancelled" });
      await alice.cancel({ text: cancelled });
      await alice.self({ text: "last" });
      const log = await stage.log();
      const notes = (): Promise<string[]> => notesOf(log, "alice", "planner");
      await stage.until("both came", async () => (await notes()).length >= 2);
      assert.equal((await notes())[0], "2 named");
      assert.match((await notes())[1] ?? "", /^last @/);
      assert.equal((await firedInputs(log)).length, 2);
    },
  },
  {
    name: "a turn that fails sets and cancels nothing",
    async run(harness) {
      await using stage = new Stage(harness);
      const { troupe } = await stage.host(planner, { retry: { attemptsMax: 2 } });
      const alice = troupe.agent(planner, "alice");
      await alice.named({ text: "kept" });
      await rejectsWith(alice.fail({ text: "never" }), "remote-turn-failed");
      const log = await stage.log();
      await stage.until("it came", async () => (await firedInputs(log)).length > 0);
      assert.deepEqual(await notesOf(log, "alice", "planner"), ["kept named"]);
    },
  },
  {
    name: "a repeating timer beats until it is cancelled, over a change of workers",
    async run(harness) {
      await using stage = new Stage(harness);
      const first = await stage.host(planner);
      await first.troupe.agent(planner, "alice").beat(null);
      const log = await stage.log();
      const beats = async (): Promise<number> => (await notesOf(log, "alice", "planner")).length;
      await stage.until("one beat", async () => (await beats()) >= 1);
      await first.worker.stop();
      const { troupe } = await stage.host(planner);
      const before = await beats();
      await stage.until("two more beats", async () => (await beats()) >= before + 2);
      await troupe.agent(planner, "alice").cancel({ text: "beat" });
      const fired = (await firedInputs(log)).length;
      const afterwards = Date.now() + 1700;
      await stage.until("time for another beat went by", () => Date.now() > afterwards);
      assert.ok((await firedInputs(log)).length <= fired + 1);
    },
  },
  {
    name: "a timer that cannot be set fails with an error that says why",
    async run(harness) {
      await using stage = new Stage(harness);
      const { heard, troupe } = await stage.host(planner, { retry: { attemptsMax: 1 } });
      for (const text of ["delay", "date", "interval", "id"]) {
        await rejectsWith(
          troupe.agent(planner, "alice").wrong({ text } satisfies Note),
          "remote-turn-failed",
        );
      }
      const failures = heard.of("dead-letter").map(({ failure }) => failure.code);
      assert.deepEqual(new Set(failures), new Set(["invalid-timer"]));
    },
  },
];

/** Inputs that timers sent so far. */
async function firedInputs(log: Log): Promise<Input[]> {
  return (await everything(log)).flatMap((entry) =>
    entry.kind === "input" && entry.input.metadata.timer !== undefined ? [entry.input] : [],
  );
}
