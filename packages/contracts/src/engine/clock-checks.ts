/**
 * The time of day jumps back an hour in the middle: nothing waits an hour longer, nothing comes an
 * hour early, and recorded times stay.
 */
import assert from "node:assert/strict";

import type { Clock } from "@troupe/core/log";
import { systemClock } from "@troupe/core/log";
import { agent } from "@troupe/core";
import { keysOfPartition, range } from "../drafts.ts";
import type { LogCheck } from "../log-harness.ts";
import { everything, rejectsWith } from "../observe.ts";
import { anything, ledger, lettersOf, noteSchema, notesOf, recordsOf } from "./ledger.ts";
import { Stage } from "./stage.ts";
import type { StageHarness } from "./stage.ts";

const hourMs = 3_600_000;
const soonMs = 200;

/** The system's clock, whose time of day can be set back. */
function settableClock(): { readonly clock: Clock; readonly goBack: () => void } {
  let offsetMs = 0;
  return {
    clock: { ...systemClock, now: () => systemClock.now() - offsetMs },
    goBack: () => {
      offsetMs += hourMs;
    },
  };
}

/** Asks of a process whose clock is right to one whose clock is not, and back. */
async function askAcross(harness: StageHarness, aheadMs: number): Promise<void> {
  await using stage = new Stage(harness);
  const clock = { ...systemClock, now: () => systemClock.now() + aheadMs };
  const book = ledger((_, { text }) =>
    text === "stuck" ? Promise.withResolvers<never>().promise : undefined,
  );
  const relay = agent("relay").on("note", noteSchema, async (context, note) => {
    await context.ask(book, "bob").note(note);
  });
  const host = await stage.host([book, relay], { clock });
  assert.equal(host.heard.of("fault")[0]?.failure.code, "clock-differs");
  const asker = await stage.client();
  assert.equal(await asker.agent(book, "alice").note({ text: "hello" }), 1);
  await asker.agent(relay, "alice").note({ text: "through" });
  assert.equal(await host.troupe.agent(book, "alice").note({ text: "back" }), 2);
  const late = asker.agent(book, "alice", { timeoutMs: soonMs }).note({ text: "stuck" });
  await rejectsWith(late, "ask-deadline");
  const log = await stage.log();
  await stage.until("it is given up", async () => (await lettersOf(log)).length > 0);
  assert.deepEqual(await lettersOf(log), ["deadline-passed"]);
  assert.deepEqual(await notesOf(log, "alice"), ["hello", "back"]);
}

export const clockChecks: readonly LogCheck[] = [
  {
    name: "a clock that goes back neither stops nor hurries back-off and time limits; ctx.now() stays",
    async run(harness) {
      await using stage = new Stage(harness);
      const { clock, goBack } = settableClock();
      const drawn: number[] = [];
      const book = ledger(async (context, { text }) => {
        drawn.push(context.now());
        await context.step("something", () => Promise.resolve(text));
        const { attempt } = context.message;
        if (attempt === 1) {
          goBack();
          throw new Error("not yet");
        }
        if (attempt > 2) return;
        goBack();
        await Promise.withResolvers<never>().promise;
      });
      const retry = { timeoutMs: soonMs, delayMs: 20, delayMsMax: 40 };
      const { troupe } = await stage.host(book, { clock, retry });
      assert.equal(await troupe.agent(book, "alice").note({ text: "hello" }), 1);
      assert.equal(drawn.length, 3);
      assert.equal(new Set(drawn).size, 1);
      const [record] = await recordsOf(await stage.log(), "alice");
      assert.equal(record?.attempts, 3);
      assert.ok(record.tookMs >= 0);
    },
  },
  {
    name: "a clock that goes back does not keep an ask, or the turn it is for, past the deadline",
    async run(harness) {
      await using stage = new Stage(harness);
      const { clock, goBack } = settableClock();
      const stuck = ledger(() => {
        goBack();
        return Promise.withResolvers<never>().promise;
      });
      const host = await stage.host(stuck, { clock });
      const late = host.troupe.agent(stuck, "alice", { timeoutMs: soonMs }).note({ text: "late" });
      await rejectsWith(late, "ask-deadline");
      await host.heard.has("turn.committed");
      assert.deepEqual(await notesOf(await stage.log(), "alice"), []);
    },
  },
  {
    name: "a worker whose clock is an hour ahead ends no ask too early, and keeps none too long",
    run: (harness) => askAcross(harness, hourMs),
  },
  {
    name: "a worker whose clock is an hour behind keeps no ask too long",
    run: (harness) => askAcross(harness, -hourMs),
  },
  {
    name: "a timer set after the clock went back is not early",
    async run(harness) {
      await using stage = new Stage(harness);
      const { clock, goBack } = settableClock();
      const planner = agent("planner")
        .on("note", noteSchema, () => undefined)
        .on("plan", noteSchema, (context, note) => context.after(2 * soonMs).note(note));
      const { heard, troupe } = await stage.host(planner, { clock });
      goBack();
      await troupe.agent(planner, "alice").plan({ text: "later" });
      await heard.has("turn.committed", 2);
      const inputs = (await everything(await stage.log())).flatMap((entry) =>
        entry.kind === "input" ? [entry.input.acceptedAtMs] : [],
      );
      const [setAtMs = 0, firedAtMs = 0] = inputs;
      assert.ok(firedAtMs >= setAtMs + 2 * soonMs, "it came too early");
    },
  },
  {
    name: "a worker whose clock goes back still notices that another one fell silent",
    async run(harness) {
      await using stage = new Stage(harness);
      const book = ledger();
      const { clock, goBack } = settableClock();
      const survivor = await stage.host(book, { clock });
      const other = await stage.host(book);
      const { partitions } = survivor.troupe.log;
      await stage.until("they share", () => {
        const held = survivor.worker.holdings.length + other.worker.holdings.length;
        return held === partitions && other.worker.holdings.length > 0;
      });
      other.crash();
      // Its earlier announcements are heard by now, at the time before.
      await survivor.troupe.log.flush();
      goBack();
      const partition = range(partitions).find(
        (each) => !survivor.worker.holdings.some((holding) => holding.partition === each),
      );
      assert.ok(partition !== undefined);
      const [key = ""] = keysOfPartition(survivor.troupe.log, partition, 1);
      assert.equal(await survivor.troupe.agent(book, key).note({ text: "hello" }), 1);
    },
  },
  {
    name: "floors are saved after the clock went back",
    async run(harness) {
      await using stage = new Stage(harness);
      const { clock, goBack } = settableClock();
      const silent = agent("silent").on("note", anything<null>(), () => undefined);
      const { troupe } = await stage.host(silent, { clock, floorIntervalMs: 20 });
      const log = await stage.log();
      const floor = async (): Promise<number> =>
        Math.max(0, ...(await log.floors()).map(({ position }) => position));
      await troupe.agent(silent, "alice").note(null);
      await stage.until("a floor is saved", async () => (await floor()) > 0);
      const before = await floor();
      goBack();
      await troupe.agent(silent, "alice").note(null);
      await stage.until("the floor moves on", async () => (await floor()) > before);
    },
  },
];
