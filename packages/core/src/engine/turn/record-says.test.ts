/**
 * Facts of a turn that its record keeps, for replaying it, tracing it or finding out why it was
 * slow.
 */
import { describe, expect, test, vi } from "vitest";
import { z } from "zod";

import type { Troupe, TroupeOptions, WorkerOptions } from "@troupe/core";
import type { Log } from "@troupe/core/log";
import type { TurnRecord } from "@troupe/core/operate";
import { agent, createTroupe, limit, topic } from "@troupe/core";
import { digestKeyCell, digestKeyOf, digestsOf } from "@troupe/core/engine";
import { encodePayload, parseAgentName } from "@troupe/core/log";
import { continuedTraceId, redriveDraft, turnSpan } from "@troupe/core/operate";
import type { Hostable } from "@troupe/core/engine";
import { createMemoryBroker, overlay } from "@troupe/testing";
import { parseTraceparent } from "../../definition/message/trace-context.ts";

const quick: WorkerOptions = {
  id: "worker-1",
  version: "1.2.3",
  timings: { joinDelayMs: 0 },
  retry: { attemptsMax: 3, delayMs: 1, delayMsMax: 2 },
};

async function work(
  log: Log,
  agents: readonly Hostable[],
  options: TroupeOptions = {},
): Promise<Troupe> {
  const troupe = createTroupe(log, { onFault: () => undefined, ...options });
  await troupe.work(agents, quick);
  return troupe;
}

async function recordsOf(troupe: Troupe, name: string): Promise<readonly TurnRecord[]> {
  const { key, type } = parseAgentName(name)!;
  const records: TurnRecord[] = [];
  for await (const { record } of troupe.turns(type, key)) records.push(record);
  return records;
}

const orders = topic("orders", z.object({ item: z.string() }));
const stock = agent("stock")
  .state({ count: 0 }, { version: 3 })
  .event("taken", z.number(), (state, by) => ({ count: state.count - by }))
  .on("take", z.object({ by: z.number() }), (ctx, { by }) => ctx.emit.taken(by), {
    version: 2,
  });

describe("of what a turn sends", () => {
  const shop = agent("shop").on("buy", z.object({ by: z.number() }), (ctx, { by }) => {
    ctx.send(stock, "lamp").take({ by });
    ctx.publish(orders, "alice", { item: "lamp" });
    ctx.after(60_000, { agent: stock, key: "lamp", id: "again" }).take({ by: 9 });
    ctx.cancel("other");
  });

  test("address, id, message and digest; the content lies right behind it", async () => {
    const log = createMemoryBroker({ partitions: 1 }).connect();
    await using troupe = await work(log, [shop, stock]);
    await troupe.agent(shop, "a").buy({ by: 2 });
    const digests = digestsOf(await digestKeyOf(log));
    for await (const { record, revision } of troupe.turns("shop", "a")) {
      expect(record.digestKey).toBe(digests.keyId);
      expect(record.sent).toMatchObject([
        { to: "agent/stock/lamp", message: "take", digest: digests.of({ by: 2 }) },
        { to: "topic/orders/alice", digest: digests.of({ item: "lamp" }) },
      ]);
      for (const [index, { id }] of record.sent.entries()) {
        const there = await log.input(revision + 1 + index);
        expect(there?.metadata.id, "it lies there").toBe(id);
      }
      expect(record.timers).toMatchObject([
        { id: "again", sends: { to: "agent/stock/lamp", digest: digests.of({ by: 9 }) } },
        { id: "other" },
      ]);
    }
  });

  test("a turn without any has no digests and names no key", async () => {
    await using troupe = await work(createMemoryBroker().connect(), [stock]);
    await troupe.agent(stock, "lamp").take({ by: 1 });
    const [record] = await recordsOf(troupe, "stock/lamp");
    expect(record).toMatchObject({ sent: [], digestKey: undefined });
  });
});

test("which log, and which versions of code, state and message", async () => {
  const log = createMemoryBroker().connect();
  await using troupe = await work(log, [stock]);
  await troupe.agent(stock, "lamp").take({ by: 1 });
  const [record] = await recordsOf(troupe, "stock/lamp");
  expect(record).toMatchObject({
    log: log.id,
    version: "1.2.3",
    stateVersion: 3,
    messageVersion: 2,
  });
});

test("a message's version is a whole number from 1", () => {
  expect(() => agent("a").on("m", z.any(), () => 1, { version: 0 })).toThrow(/whole number from 1/);
});

describe("of its runs", () => {
  test("those that failed: code, message, times, pause and worker, the last eight", async () => {
    let runs = 0;
    const flaky = agent("flaky").on(
      "try",
      z.any(),
      async (ctx) => {
        runs += 1;
        if (runs === 4) await ctx.step("look", 1, () => "seen");
        if (runs < 11) throw new Error(`no luck ${runs} ${"x".repeat(300)}`);
      },
      { retry: { attemptsMax: 20 } },
    );
    await using troupe = await work(createMemoryBroker().connect(), [flaky]);
    await troupe.agent(flaky, "a").try({});
    const [record] = await recordsOf(troupe, "flaky/a");
    expect(record?.attempts).toBe(11);
    expect(record?.earlierRuns?.map(({ run }) => run)).toEqual([3, 4, 5, 6, 7, 8, 9, 10]);
    const [first, second] = record?.earlierRuns ?? [];
    const message = expect.stringMatching(/^Error: no luck 3 x{142}…$/);
    expect(first).toMatchObject({ code: "handler-failed", message, worker: "worker-1" });
    expect(first!.delayMs).toBeGreaterThan(0);
    expect(second!.startedAtMs).toBeGreaterThanOrEqual(first!.startedAtMs);
    expect(record!.firstStartedAtMs).toBeLessThanOrEqual(first!.startedAtMs);
  });

  test("those of an earlier owner, as far as its steps say them", async () => {
    const broker = createMemoryBroker({ partitions: 1 });
    let isHere = true;
    const slow = agent("slow").on("try", z.any(), async (ctx) => {
      if (isHere && ctx.message.attempt === 1) throw new Error("first owner");
      await ctx.step("look", 1, () => "seen");
      if (isHere) await new Promise(() => undefined);
    });
    const first = createTroupe(broker.connect(), { onFault: () => undefined });
    const worker = await first.work(slow, quick);
    await first.send(slow, "a").try({});
    await vi.waitFor(() => {
      expect(broker.entries().filter(({ kind }) => kind === "turn").length).toBeGreaterThan(0);
    });
    isHere = false;
    await worker.stop({ drainTimeoutMs: 0 });
    await using second = createTroupe(broker.connect());
    await second.work(slow, { ...quick, id: "worker-2" });
    await vi.waitFor(async () => expect(await recordsOf(second, "slow/a")).toHaveLength(1));
    const [record] = await recordsOf(second, "slow/a");
    expect(record?.worker).toBe("worker-2");
    expect(record?.earlierRuns).toMatchObject([
      { run: 1, code: "handler-failed", message: "Error: first owner", worker: "worker-1" },
    ]);
    await first.close();
  });

  test("when it was accepted, received, activated and started, and how long it took", async () => {
    await using troupe = await work(createMemoryBroker().connect(), [stock]);
    await troupe.agent(stock, "lamp").take({ by: 1 });
    await troupe.agent(stock, "lamp").take({ by: 1 });
    const [first, second] = await recordsOf(troupe, "stock/lamp");
    expect(first?.activatedAtMs).toBeGreaterThanOrEqual(first?.receivedAtMs ?? Infinity);
    expect(second?.activatedAtMs).toBeUndefined();
    for (const record of [first!, second!]) {
      expect(record.startedAtMs).toBeGreaterThanOrEqual(record.receivedAtMs);
      expect(record.firstStartedAtMs).toBeUndefined();
      expect(record.tookMs).toBeGreaterThan(0);
    }
  });
});

describe("of its steps", () => {
  test("start, run, wait for limits, digest of the input, and where an ask lies", async () => {
    const log = createMemoryBroker({ partitions: 1 }).connect();
    const one = limit("one", { concurrency: 1 });
    const shop = agent("shop").on("buy", z.any(), async (ctx) => {
      if (ctx.message.attempt === 1) {
        await ctx.step("early", 1, () => "done");
        throw new Error("once more");
      }
      await ctx.step("early", 1, () => "again");
      const pause = (): Promise<void> => new Promise((resolve) => void setImmediate(resolve));
      const held = ctx.step("held", 2, pause, { limit: one });
      await Promise.all([held, ctx.step("waits", { b: 1, a: 2 }, () => 1, { limit: one })]);
      await ctx.ask(stock, "lamp").take({ by: 1 });
    });
    await using troupe = await work(log, [shop, stock]);
    await troupe.agent(shop, "a").buy({});
    const digests = digestsOf(await digestKeyOf(log));
    for await (const { steps } of troupe.turns("shop", "a")) {
      const [early, held, waits, ask] = ["early", "held", "waits", "~ask stock/lamp take"].map(
        (name) => steps.find((step) => step.name === name),
      );
      expect([early?.run, held?.run, waits?.run]).toEqual([1, 2, 2]);
      expect(waits?.digest).toBe(digests.of({ a: 2, b: 1 }));
      expect(waits?.waitedMs).toBeGreaterThan(0);
      expect(waits?.startMs).toBeGreaterThanOrEqual((held?.startMs ?? 0) + (held?.tookMs ?? 0));
      const asked = await log.input(ask?.askedAt ?? 0);
      expect(asked?.address).toEqual({ kind: "agent", name: "stock", key: "lamp" });
    }
  });

  test("its agent waits when they were recorded with a key that is gone", async () => {
    const broker = createMemoryBroker({ partitions: 1 });
    const effect = vi.fn<() => string>(() => "paid");
    let isFirst = true;
    const payer = agent("payer").on("pay", z.any(), async (ctx) => {
      await ctx.step("pay", 5, effect);
      if (isFirst) await new Promise(() => undefined);
    });
    const first = createTroupe(broker.connect(), { onFault: () => undefined });
    const worker = await first.work(payer, quick);
    await first.send(payer, "a").pay({});
    await vi.waitFor(() => expect(effect).toHaveBeenCalledTimes(1));
    await vi.waitFor(() => {
      expect(broker.entries().some(({ kind }) => kind === "turn")).toBe(true);
    });
    isFirst = false;
    await worker.stop({ drainTimeoutMs: 0 });
    const base = broker.connect();
    let isLost = true;
    const lost = { revision: 1, value: new Uint8Array(32), storedAtMs: 0 };
    const log = overlay(base, {
      cell: async (name) => (isLost && name === digestKeyCell ? lost : base.cell(name)),
    });
    {
      await using second = createTroupe(log, { onFault: () => undefined });
      const codes: string[] = [];
      second.inspect((event) => event.kind === "fault" && codes.push(event.failure.code));
      await second.work(payer, { ...quick, id: "worker-2" });
      await vi.waitFor(() => expect(codes).toContain("digest-key"));
    }
    isLost = false;
    await using third = createTroupe(broker.connect());
    await third.work(payer, { ...quick, id: "worker-3" });
    await vi.waitFor(async () => expect(await recordsOf(third, "payer/a")).toHaveLength(1));
    expect(effect, "its effect happened once").toHaveBeenCalledTimes(1);
    await first.close();
  });
});

test("which call of a batch handler, and its place there", async () => {
  const bulk = agent("bulk").onBatch("add", z.number(), (_, items) => items.map(() => 1), {
    batch: { size: 3, waitMs: 10_000 },
  });
  await using troupe = await work(createMemoryBroker().connect(), [bulk]);
  await Promise.all(["a", "b", "c"].map((key) => troupe.agent(bulk, key).add(1)));
  const records = await Promise.all(["a", "b", "c"].map((key) => recordsOf(troupe, `bulk/${key}`)));
  const batches = records.map(([record]) => record?.batch);
  expect(new Set(batches.map((batch) => batch?.traceparent)).size).toBe(1);
  expect(batches.map((batch) => batch?.index ?? -1).toSorted((a, b) => a - b)).toEqual([0, 1, 2]);
  expect(batches.every((batch) => batch?.size === 3 && batch.startMs >= 0)).toBe(true);
});

test("what interceptors replaced, of receive with a digest, of commit by name", async () => {
  const log = createMemoryBroker().connect();
  const echo = agent("echo").on("say", z.any(), (_, what) => what);
  const interceptors = [
    {
      receive: (call, next) =>
        call.payload === "plain" ? next(call) : [next({ ...call, payload: { was: call.payload } })],
      commit: (record, next) =>
        next(record.sender === undefined ? record : { ...record, sender: undefined }),
    },
  ] satisfies TroupeOptions["interceptors"];
  await using troupe = await work(log, [echo], { interceptors });
  expect(await troupe.agent(echo, "a").say("odd")).toEqual([{ was: "odd" }]);
  await log.accept({
    address: { kind: "agent", name: "echo", key: "a" },
    metadata: { message: "say", contentType: "application/msgpack" },
    payload: encodePayload("plain"),
  });
  await vi.waitFor(async () => expect(await recordsOf(troupe, "echo/a")).toHaveLength(2));
  const [odd, plain] = await recordsOf(troupe, "echo/a");
  expect(odd?.changed).toEqual({
    receive: ["payload", "reply"],
    payload: digestsOf(await digestKeyOf(log)).of({ was: "odd" }),
    commit: ["sender"],
  });
  expect(plain?.changed).toBeUndefined();
});

describe("of its trace", () => {
  const caller = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

  test("the caller's own span is its parent, and its state comes along", async () => {
    const log = createMemoryBroker().connect();
    const tracestate = "ot=th:e666";
    await using troupe = await work(log, [stock], {
      traceparent: () => caller,
      tracestate: () => tracestate,
    });
    await troupe.agent(stock, "lamp").take({ by: 1 });
    await troupe.send(stock, "lamp").take({ by: 1 });
    await vi.waitFor(async () => expect(await recordsOf(troupe, "stock/lamp")).toHaveLength(2));
    for (const record of await recordsOf(troupe, "stock/lamp")) {
      expect(record).toMatchObject({ parentSpan: "00f067aa0ba902b7", tracestate });
      const input = await log.input(record.inputPosition);
      expect(input?.metadata).toMatchObject({ traceparent: caller, tracestate });
      expect(turnSpan(input!, record.log, "stock").traceparent).toBe(record.traceparent);
    }
  });

  test("a retried run has the same span, and so has what it sent", async () => {
    const seen: string[] = [];
    const retried = agent("retried").on("go", z.any(), (ctx) => {
      seen.push(ctx.message.traceparent);
      if (ctx.message.attempt < 3) throw new Error("once more");
      ctx.send(stock, "lamp").take({ by: 1 });
    });
    await using troupe = await work(createMemoryBroker().connect(), [retried, stock]);
    await troupe.agent(retried, "a").go({});
    const [record] = await recordsOf(troupe, "retried/a");
    await vi.waitFor(async () => expect(await recordsOf(troupe, "stock/lamp")).toHaveLength(1));
    const [child] = await recordsOf(troupe, "stock/lamp");
    expect(new Set([...seen, record?.traceparent]).size).toBe(1);
    expect(child?.parentSpan).toBe(parseTraceparent(record?.traceparent)?.spanId);
  });

  test("what a timer of five minutes and more sends begins another one, and names its turn", async () => {
    const base = createMemoryBroker({ partitions: 1 }).connect();
    const commit = vi.fn<Log["commit"]>((turns) => base.commit(turns));
    const patient = agent("patient").on("wait", z.any(), (ctx) => {
      ctx.after(299_000, { agent: stock, key: "lamp" }).take({ by: 1 });
      ctx.after(301_000, { agent: stock, key: "lamp" }).take({ by: 1 });
      ctx.every(2000, { agent: stock, key: "lamp" }).take({ by: 1 });
    });
    await using troupe = await work(overlay(base, { commit }), [patient]);
    await troupe.agent(patient, "a").wait({});
    const [record] = await recordsOf(troupe, "patient/a");
    const timers = commit.mock.calls.flatMap(([turns]) =>
      turns.flatMap((each) => each.timers ?? []),
    );
    const traces = timers.map((timer) => {
      const { link, traceparent } = timer.kind === "set" ? timer.message.metadata : {};
      return { link, traceparent };
    });
    const own = { link: record?.traceparent, traceparent: undefined };
    expect(traces).toEqual([{ link: undefined, traceparent: record?.traceparent }, own, own]);
  });

  test("a redrive begins another one, and names the turn that failed", async () => {
    const log = createMemoryBroker({ partitions: 1 }).connect();
    let isBroken = true;
    const shaky = agent("shaky")
      .event("gone", z.any(), (state) => state)
      .on("go", z.any(), (ctx) => {
        ctx.emit.gone({});
        if (isBroken) throw new Error("broken");
      });
    await using troupe = await work(log, [shaky, stock]);
    const failed = troupe.agent(shaky, "a").go({});
    await expect(failed).rejects.toThrow(/broken/);
    isBroken = false;
    const [first] = await recordsOf(troupe, "shaky/a");
    for await (const entry of log.follow({ from: 1, untilNow: true, kinds: ["dead-letter"] })) {
      if (entry.kind !== "dead-letter") continue;
      const original = (await log.input(entry.deadLetter.inputPosition))!;
      const of = { position: entry.position, agent: { type: "shaky", key: "a" }, original };
      await log.accept(redriveDraft({ ...of, log: log.id }));
    }
    await vi.waitFor(async () => expect(await recordsOf(troupe, "shaky/a")).toHaveLength(2));
    const [, second] = await recordsOf(troupe, "shaky/a");
    expect(second?.link).toBe(first?.traceparent);
    expect(second?.parentSpan).toBeUndefined();
    const found = continuedTraceId(first?.traceparent ?? "", second?.messageId);
    expect(second?.traceparent.slice(3, 35)).toBe(found);
  });
});

test("a duplicate is recognised whichever log its record names (I4)", async () => {
  const broker = createMemoryBroker({ partitions: 1 });
  // A worker that has not noticed yet that the log was made anew.
  const late = overlay(broker.connect(), { id: "the old one" });
  {
    await using troupe = await work(late, [stock]);
    await troupe.agent(stock, "lamp").take({ by: 1 });
    expect((await recordsOf(troupe, "stock/lamp"))[0]?.log).toBe("the old one");
  }
  // Its floor is lost, so everything is read again.
  const log = overlay(broker.connect(), { floors: () => Promise.resolve([]) });
  await using troupe = await work(log, [stock]);
  await troupe.agent(stock, "lamp").take({ by: 1 });
  expect((await recordsOf(troupe, "stock/lamp")).map(({ turn }) => turn)).toEqual([1, 2]);
});
