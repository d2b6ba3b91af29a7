/** Timers: set and cancelled with a commit (I3), and fired once (LOG-6). */
import assert from "node:assert/strict";

import type { Log, SetTimer, TimerTime } from "@troupe/core/log";
import { account, partitionOf, range, text, toAccount, turn } from "./drafts.ts";
import type { LogCheck, LogHarness } from "./log-harness.ts";
import { collect, everything, rejectsWith, wholeJournal, type Collector } from "./observe.ts";
import { until } from "./until.ts";

/** Longer than the commits that come before it take. */
const soonMs = 700;

export const timerChecks: readonly LogCheck[] = [
  {
    name: "a timer that a commit sets fires once, at its time or later, in its target's partition",
    async run(harness) {
      const log = await harness.connect();
      const atMs = Date.now() + soonMs;
      const metadata = { message: "remind", sender: "account/alice", causationId: "in-1" };
      const timers = [set("reminder", "bob", { atMs }, metadata)];
      const [revision = 0] = await log.commit([turn("alice", 0, { timers })]);
      assert.deepEqual((await everything(log)).length, 1, "the timer is not on the log yet");
      const bob = collectFor(harness, log, "bob");
      await bob.has(1);
      const [input] = bob.inputs;
      assert.ok(input !== undefined && input.acceptedAtMs >= atMs, "it fired too early");
      assert.deepEqual({ ...input.address }, { kind: "agent", name: "account", key: "bob" });
      assert.deepEqual({ ...input.metadata }, { ...metadata, id: "id of bob", timer: "reminder" });
      assert.equal(text(input.payload), "timer for bob");
      assert.ok(log.shards > 1 || input.position > revision);
      await fires(harness, log, revision, "next", "bob");
      await bob.has(2);
      assert.deepEqual(bob.contents(), ["timer for bob", "timer for bob"]);
    },
  },
  {
    name: "a timer whose time is over fires at once",
    async run(harness) {
      const log = await harness.connect();
      const timers = [set("late", "bob", { atMs: Date.now() - 86_400_000 })];
      await log.commit([turn("alice", 0, { timers })]);
      await collectFor(harness, log, "bob").has(1);
    },
  },
  {
    name: "a commit in conflict sets no timer, and cancels none",
    oneShard: true,
    async run(harness) {
      const log = await harness.connect();
      const first = [set("kept", "kept", { atMs: Date.now() + soonMs })];
      const [revision = 0] = await log.commit([turn("alice", 0, { timers: first })]);
      const stale = [
        set("stale", "stale", { atMs: Date.now() + 1 }),
        { kind: "cancel", id: "kept" } as const,
      ];
      await rejectsWith(log.commit([turn("alice", 0, { timers: stale })]), "revision-conflict");
      await rejectsWith(
        log.commit([turn("bob", 0, { timers: stale }), turn("alice", 0)]),
        "revision-conflict",
      );
      await collectFor(harness, log, "kept").has(1);
      await fires(harness, log, revision, "next", "carol");
      assert.deepEqual(collectFor(harness, log, "stale").contents(), []);
      assert.ok(!(await firedOn(log)).includes("stale"));
    },
  },
  {
    name: "a timer that is set again is replaced, also in the same commit",
    async run(harness) {
      const log = await harness.connect();
      const soon = { atMs: Date.now() + soonMs };
      const [revision = 0] = await log.commit([
        turn("alice", 0, { timers: [set("a", "first", soon), set("b", "first", soon)] }),
      ]);
      const [, last = 0] = await log.commit([
        turn("alice", revision, { timers: [set("a", "second", soon), set("a", "third", soon)] }),
        turn("alice", "chained", { timers: [set("a", "fourth", soon), set("b", "fifth", soon)] }),
      ]);
      await fires(harness, log, last, "c", "last");
      const fired = await firedOn(log);
      const expected = ["fourth", "fifth", "last"];
      // Timers of several shards have no common order.
      if (log.shards > 1) assert.deepEqual(fired.toSorted(), expected.toSorted());
      else assert.deepEqual(fired, expected);
    },
  },
  {
    name: "a cancelled timer does not fire; cancelling one that is not set changes nothing",
    async run(harness) {
      const log = await harness.connect();
      const soon = { atMs: Date.now() + soonMs };
      const ids = ["a", "b", "c", "ready. *>%"];
      const timers = ids.map((id) => set(id, `timer ${id}`, soon));
      const [revision = 0] = await log.commit([turn("alice", 0, { timers })]);
      const cancel = (...cancelled: string[]): { kind: "cancel"; id: string }[] =>
        cancelled.map((id) => ({ kind: "cancel", id }));
      const [only = 0] = await log.commit([
        turn("alice", revision, { timers: cancel("a", "ready. *>%", "unknown") }),
      ]);
      const [again = 0] = await log.commit([turn("alice", only, { timers: cancel("b") })]);
      const both = [set("d", "d", soon), ...cancel("d", "a")];
      const [last = 0] = await log.commit([turn("alice", again, { timers: both })]);
      await fires(harness, log, last, "e", "last");
      assert.deepEqual(await firedOn(log), ["timer c", "last"]);
      assert.equal((await wholeJournal(log, account("alice"))).length, 5);
    },
  },
  {
    name: "agents of the same timer id have timers of their own",
    oneShard: true,
    async run(harness) {
      const log = await harness.connect();
      const soon = { atMs: Date.now() + soonMs };
      const keys = ["alice", "bob", "alice.same"];
      const [revision = 0] = await log.commit(
        keys.map((key) => turn(key, 0, { timers: [set("same", `of ${key}`, soon)] })),
      );
      const timers = [{ kind: "cancel", id: "same" } as const];
      const [last = 0] = await log.commit([turn("alice", revision, { timers })]);
      await fires(harness, log, last, "e", "last");
      assert.deepEqual((await firedOn(log)).toSorted(), ["last", "of alice.same", "of bob"]);
    },
  },
  {
    name: "a repeating timer fires until it is cancelled, each time with another id",
    async run(harness) {
      const log = await harness.connect();
      const timers = [set("beat", "bob", { everyMs: 1000 })];
      const [revision = 0] = await log.commit([turn("alice", 0, { timers })]);
      const bob = collectFor(harness, log, "bob");
      await bob.has(2);
      const cancelled = [{ kind: "cancel", id: "beat" } as const];
      const [last = 0] = await log.commit([turn("alice", revision, { timers: cancelled })]);
      // A firing that had begun may still be stored.
      const beats = bob.inputs.length + 1;
      await fires(harness, log, last, "after two beats", "carol", 2100);
      assert.ok(bob.inputs.length <= beats, `${bob.inputs.length} firings, at most ${beats}`);
      const ids = bob.inputs.map(({ metadata }) => metadata.id);
      assert.equal(new Set(ids).size, ids.length, `ids ${ids.join()}`);
      const names = bob.inputs.map(({ metadata }) => metadata.timer);
      assert.deepEqual(new Set(names), new Set(["beat"]));
    },
  },
  {
    name: "many timers of many agents all fire, each once",
    async run(harness) {
      const log = await harness.connect();
      const atMs = Date.now() + soonMs;
      const commits = range(40).map((i) => {
        const timers = range(5).map((j) => set(`${j}`, `${i}.${j}`, { atMs }));
        return log.commit([turn(`key-${i}`, 0, { timers })]);
      });
      await Promise.all(commits);
      await until(harness, "200 timers fired", async () => (await firedOn(log)).length >= 200);
      assert.equal(new Set(await firedOn(log)).size, 200);
      assert.equal((await firedOn(log)).length, 200);
    },
  },
  {
    name: "timers survive an outage, and fire once after it when they were due in it",
    needs: "beginOutage",
    async run(harness) {
      const log = await harness.connect();
      const atMs = Date.now() + soonMs;
      const timers = [set("due", "due", { atMs }), set("later", "later", { atMs: atMs + 1500 })];
      const [revision = 0] = await log.commit([turn("alice", 0, { timers })]);
      const collectors = ["due", "later"].map((key) => collectFor(harness, log, key));
      const endOutage = await harness.beginOutage?.();
      await until(harness, "the timer is due", () => Date.now() > atMs);
      await endOutage?.();
      for (const collector of collectors) await collector.has(1);
      await fires(harness, log, revision, "next", "last");
      assert.deepEqual(await firedOn(log), ["due", "later", "last"]);
    },
  },
];

/** A timer of an account's, with a message for the account of this key. */
function set(
  id: string,
  key: string,
  time: TimerTime,
  metadata: SetTimer["message"]["metadata"] = {},
): SetTimer {
  const message = toAccount(key, `timer for ${key}`, {
    ...metadata,
    id: `id of ${key}`,
    timer: id,
  });
  return { kind: "set", id, time, message };
}

function collectFor(harness: LogHarness, log: Log, key: string): Collector {
  return collect(harness, log, { source: partitionOf(log, key) });
}

/** Resolves when another timer of alice's fires; all that were due before it have fired by then. */
async function fires(
  harness: LogHarness,
  log: Log,
  revision: number,
  id: string,
  key: string,
  delayMs: number = soonMs * 2,
): Promise<void> {
  const before = (await firedOn(log)).filter((fired) => fired === key).length;
  const timers = [set(id, key, { atMs: Date.now() + delayMs })];
  await log.commit([turn("alice", revision, { timers })]);
  await until(harness, `the timer ${id} fired`, async () => {
    return (await firedOn(log)).filter((fired) => fired === key).length > before;
  });
}

/** The keys of the messages on the log that timers sent. */
async function firedOn(log: Log): Promise<string[]> {
  return (await everything(log)).flatMap((entry) =>
    entry.kind === "input" && entry.input.metadata.timer !== undefined
      ? [entry.input.address.key]
      : [],
  );
}
