import fc from "fast-check";
import { describe, expect, test } from "vitest";

import type { Input, LogStatus } from "@troupe/core/log";
import { account, bytes, partitionOf, range, text, toAccount, turn } from "../drafts.ts";
import { createMemoryBroker, type MemoryConnection } from "@troupe/testing";

/** Resolves after all tasks that are scheduled by now. */
const nextTick = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

describe("a paused broker", () => {
  test("holds calls in their order until it resumes", async () => {
    const broker = createMemoryBroker();
    const log = broker.connect();
    broker.pause();
    const calls = [
      log.accept(toAccount("alice", "hello")),
      log.commit([turn("alice", 0)]),
      log.commit([turn("alice", 2)]),
    ];
    await nextTick();
    expect(broker.entries()).toEqual([]);
    broker.resume();
    expect(await Promise.all(calls)).toEqual([{ position: 1, duplicate: false }, [2], [3]]);
  });

  test("fails calls other than accept when it is told to", async () => {
    const broker = createMemoryBroker();
    const log = broker.connect();
    broker.pause({ calls: "fail" });
    const accepting = log.accept(toAccount("alice", "hello"));
    const unavailable = { code: "log-unavailable", retryable: true };
    await expect(log.commit([turn("alice", 0)])).rejects.toMatchObject(unavailable);
    await expect(log.journal(account("alice"), 0)).rejects.toMatchObject(unavailable);
    expect(broker.entries()).toEqual([]);
    broker.resume();
    expect(await accepting).toEqual({ position: 1, duplicate: false });
  });

  test("loses answers on their way: the commit is stored, its outcome unknown", async () => {
    const broker = createMemoryBroker();
    const log = broker.connect();
    const committing = log.commit([turn("alice", 0)]);
    await untilStored(broker, 1);
    broker.pause({ calls: "fail" });
    await expect(committing).rejects.toMatchObject({ code: "log-unavailable" });
    broker.resume();
    expect(await log.journal(account("alice"), 0)).toHaveLength(1);
  });

  test("makes accept try again, which stores nothing new", async () => {
    const broker = createMemoryBroker();
    const accepting = broker.connect().accept(toAccount("alice", "hello"));
    await untilStored(broker, 1);
    broker.pause({ calls: "fail" });
    await nextTick();
    broker.resume();
    expect(await accepting).toEqual({ position: 1, duplicate: true });
    expect(broker.entries()).toHaveLength(1);
  });

  test("lets readers stand still, and they go on without loss", async () => {
    const broker = createMemoryBroker();
    const log = broker.connect();
    const seen = readAll(log, "alice");
    await log.accept(toAccount("alice", "before"));
    broker.pause();
    const before = seen.length;
    broker.publishForeign("agent", "account", "alice", bytes("during"));
    await nextTick();
    expect(seen).toHaveLength(before);
    broker.resume();
    await expect.poll(() => seen.map((input) => text(input.payload))).toEqual(["before", "during"]);
  });

  test("loses replies and announcements, and tells every connection", async () => {
    const broker = createMemoryBroker();
    const [log, other] = [broker.connect(), broker.connect()];
    const heard: string[] = [];
    const statuses: LogStatus[] = [];
    log.onReply((replyTo) => void heard.push(replyTo));
    log.onPresence(({ worker }) => void heard.push(worker));
    log.onStatus((status) => void statuses.push(status));
    const [lost, kept] = [log.replyAddress(), log.replyAddress()];
    broker.pause();
    other.reply(lost, bytes("lost"));
    other.announce({ worker: "lost", leaving: false, holds: {} });
    await nextTick();
    broker.resume();
    other.reply(kept, bytes("kept"));
    await expect.poll(() => heard).toEqual([kept]);
    expect(statuses).toEqual(["disconnected", "connected"]);
  });
});

describe("the next commit", () => {
  test("is stored without saying so when its answer is lost", async () => {
    const broker = createMemoryBroker();
    const log = broker.connect();
    broker.failNextCommit("lost-ack");
    const commit = log.commit([turn("alice", 0)]);
    await expect(commit).rejects.toMatchObject({ code: "log-unavailable" });
    expect(await log.journal(account("alice"), 0)).toHaveLength(1);
    expect(await log.commit([turn("alice", 1)])).toEqual([2]);
  });

  test("is not stored when the broker is unavailable or somebody else was first", async () => {
    const broker = createMemoryBroker();
    const log = broker.connect();
    broker.failNextCommit("unavailable");
    broker.failNextCommit("conflict");
    const codes = ["log-unavailable", "revision-conflict"];
    for (const code of codes) {
      await expect(log.commit([turn("alice", 0)])).rejects.toMatchObject({ code });
    }
    expect(broker.entries()).toEqual([]);
    expect(await log.commit([turn("alice", 0)])).toEqual([1]);
  });
});

describe("a crashed connection", () => {
  test("sends nothing more and settles nothing, and others do not notice", async () => {
    const broker = createMemoryBroker();
    const [crashing, other] = [broker.connect(), broker.connect()];
    const settled: string[] = [];
    const note = (what: string) => (): void => void settled.push(what);
    void crashing.accept(toAccount("alice", "lost")).then(note("accept"), note("accept"));
    void crashing.commit([turn("alice", 0)]).then(note("commit"), note("commit"));
    crashing.announce({ worker: "crashing", leaving: true, holds: {} });
    other.onPresence(({ worker }) => void settled.push(worker));
    crashing.crash();
    void crashing.journal(account("alice"), 0).then(note("journal"), note("journal"));
    void crashing.close().then(note("close"), note("close"));
    expect(await other.accept(toAccount("alice", "kept"))).toEqual({
      position: 1,
      duplicate: false,
    });
    await nextTick();
    expect(settled).toEqual([]);
  });

  test("may have stored what was on its way, and receives nothing more", async () => {
    const broker = createMemoryBroker();
    const [crashing, other] = [broker.connect(), broker.connect()];
    const heard: unknown[] = [];
    const seen = readAll(crashing, "alice");
    crashing.onReply((...reply) => void heard.push(reply));
    crashing.onStatus((status) => void heard.push(status));
    void crashing.commit([turn("alice", 0)]).then(
      (result) => heard.push(result),
      (error: unknown) => heard.push(error),
    );
    await untilStored(broker, 1);
    crashing.crash();
    other.reply(crashing.replyAddress(), bytes("lost"));
    await other.accept(toAccount("alice", "not for the dead"));
    broker.pause();
    broker.resume();
    await other.flush();
    expect(heard).toEqual([]);
    expect(seen).toEqual([]);
    expect(await other.journal(account("alice"), 0)).toHaveLength(1);
  });
});

test("replies are dropped as many as asked", async () => {
  const broker = createMemoryBroker();
  const log = broker.connect();
  const heard: string[] = [];
  log.onReply((_, payload) => void heard.push(text(payload)));
  broker.dropReplies(2);
  for (const content of ["1", "2", "3"]) log.reply(log.replyAddress(), bytes(content));
  await expect.poll(() => heard).toEqual(["3"]);
});

test("an id is forgotten when the clock says so", async () => {
  let nowMs = 1_000_000;
  const clock = { now: () => nowMs, monotonicMs: () => nowMs, after: () => () => undefined };
  const broker = createMemoryBroker({ clock, duplicates: { ageMsMax: 1000 } });
  const log = broker.connect();
  const draft = toAccount("alice", "hello", { id: "same" });
  const duplicates: boolean[] = [];
  for (const ageMs of [0, 1000, 1001]) {
    nowMs = 1_000_000 + ageMs;
    duplicates.push((await log.accept(draft)).duplicate);
  }
  expect(duplicates).toEqual([false, true, false]);
  const times = broker.entries().map((entry) => entry.kind === "input" && entry.input.acceptedAtMs);
  expect(times).toEqual([1_000_000, 1_001_001]);
});

test("entries shows the log in order, positions from 1 on", async () => {
  const broker = createMemoryBroker();
  const log = broker.connect();
  await log.accept(toAccount("alice", "hello"));
  expect(broker.publishForeign("topic", "inquiries", "%zz", bytes("{}"))).toBe(2);
  expect(broker.publishUnroutable()).toBe(3);
  expect(await log.commit([turn("alice", 0)])).toEqual([4]);
  expect(broker.entries().map(({ kind }) => kind)).toEqual(["input", "input", "input", "turn"]);
});

test("a chained turn that follows no turn of its agent is refused", async () => {
  const log = createMemoryBroker().connect();
  const commit = log.commit([turn("bob", 0), turn("alice", "chained")]);
  await expect(commit).rejects.toMatchObject({ code: "log-refused" });
});

test("the schedule alone decides the order of everything", async () => {
  const order = fc.infiniteStream(fc.nat());
  const law = fc.asyncProperty(order, fc.nat(), async (choices, seed) => {
    const picks = [...choices.take(2000)].map((choice) => choice ^ seed);
    expect(await storedUnder(picks)).toEqual(await storedUnder(picks));
  });
  await fc.assert(law, { numRuns: 10 });
});

/**
 * Runs three writers under a schedule that takes the tasks in the given order; returns what was
 * stored.
 */
async function storedUnder(picks: readonly number[]): Promise<string[]> {
  const tasks: (() => void)[] = [];
  const broker = createMemoryBroker({
    clock: { now: () => 0, monotonicMs: () => 0, after: () => () => undefined },
    schedule: (task) => void tasks.push(task),
  });
  const logs = range(3).map(() => broker.connect());
  const work = logs.map(async (log, writer) => {
    for (const i of range(5)) await log.accept(toAccount(`key-${i}`, `${writer}:${i}`));
    await log.commit([turn("alice", 0)]).catch(() => undefined);
  });
  let busy = true;
  const done = Promise.all(work).then(() => (busy = false));
  for (const pick of picks) {
    if (!busy) break;
    tasks.splice(pick % Math.max(1, tasks.length), 1)[0]?.();
    // Tasks that this one woke run before the next choice.
    await nextTick();
  }
  await done;
  return broker.entries().map((entry) => {
    return entry.kind === "input" ? text(entry.input.payload) : entry.kind;
  });
}

function readAll(log: MemoryConnection, key: string): Input[] {
  const seen: Input[] = [];
  log.read({
    source: partitionOf(log, key),
    after: 0,
    credit: 1000,
    onInput: (input) => void seen.push(input),
  });
  return seen;
}

async function untilStored(
  broker: ReturnType<typeof createMemoryBroker>,
  count: number,
): Promise<void> {
  while (broker.entries().length < count) await nextTick();
}
