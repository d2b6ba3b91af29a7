/** Declaring and running projections in memory; the rules for every sink are in its contract. */
import { describe, expect, expectTypeOf, test } from "vitest";
import { z } from "zod";

import { agent, createTroupe, memoryModel, memorySink, projection } from "@troupe/core";
import { PoisonEventError, SinkRefusedError, SinkUnavailableError } from "@troupe/core/errors";
import type { InspectionEvent, MemorySink, Troupe } from "@troupe/core";
import { createMemoryBroker } from "@troupe/testing";

const amount = z.object({ amount: z.number() });

const account = agent("account")
  .event("deposited", amount, (state) => state)
  .event("closed", z.object({ reason: z.string() }), (state) => state)
  .on("deposit", amount, (ctx, message) => ctx.emit.deposited(message))
  .on("close", z.object({ reason: z.string() }), (ctx, message) => ctx.emit.closed(message));

const balances = projection(
  "balances",
  memoryModel(() => new Map<string, number>()),
)
  .on(account, "deposited", (model, event, info) => {
    expectTypeOf(model).toEqualTypeOf<Map<string, number>>();
    expectTypeOf(event).toEqualTypeOf<{ amount: number }>();
    model.set(info.agent.key, (model.get(info.agent.key) ?? 0) + event.amount);
  })
  .on(account, "closed", async (model, { reason }, { agent: { key } }) => {
    expectTypeOf(reason).toEqualTypeOf<string>();
    if (reason === "poison") throw new Error("no such reason");
    model.delete(key);
  });

async function bank(): Promise<Troupe & { readonly events: InspectionEvent[] }> {
  const troupe = createTroupe(createMemoryBroker().connect());
  const events: InspectionEvent[] = [];
  troupe.inspect((event) => events.push(event));
  await troupe.work(account, { timings: { joinDelayMs: 0 } });
  return Object.assign(troupe, { events });
}

/** The sink with another `apply`. */
function applying(sink: MemorySink, apply: MemorySink["apply"]): MemorySink {
  return { ...sink, apply };
}

describe("declaring a projection", () => {
  test("gives frozen data", () => {
    expect(Object.isFrozen(balances)).toBe(true);
    expect(Object.keys(balances.sources["account"] ?? {})).toEqual(["deposited", "closed"]);
    expect(balances).toMatchObject({ kind: "projection", name: "balances", version: 1 });
  });

  test("refuses bad names and versions, unknown events and two handlers of one event", () => {
    const model = memoryModel(() => 0);
    const code = "definition";
    const named = (name: string, version?: number) => () =>
      projection(name, model, version === undefined ? {} : { version });
    expect(named("a b")).toThrow(expect.objectContaining({ code }));
    expect(named("a", 0)).toThrow(expect.objectContaining({ code }));
    expect(named("a", 1.5)).toThrow(expect.objectContaining({ code }));
    expect(() => balances.on(account, "deposited", () => undefined)).toThrow("twice");
    // @ts-expect-error -- no such event.
    expect(() => balances.on(account, "opened", () => undefined)).toThrow("no event opened");
  });

  test("a handler gets what the event's schema made of it", () => {
    const dated = agent("dated").event(
      "set",
      z.object({ at: z.string().transform((at) => new Date(at)), note: z.string().default("") }),
      (state) => state,
    );
    const dates = projection(
      "dates",
      memoryModel((): Date[] => []),
    ).on(dated, "set", (list, event) => {
      expectTypeOf(event).toEqualTypeOf<{ at: Date; note: string }>();
      list.push(event.at);
    });
    expect(Object.keys(dates.sources)).toEqual(["dated"]);
  });

  test("a sink takes only its own models", async () => {
    await using troupe = await bank();
    const foreign = projection("foreign", { medium: "stone" }).on(account, "closed", () => {});
    // @ts-expect-error -- a memory sink holds no stone.
    await expect(troupe.project(foreign, memorySink())).rejects.toThrow("cannot hold it");
  });
});

describe("running a projection", () => {
  test("caughtUp means that what was accepted and handled before is in the model", async () => {
    await using troupe = await bank();
    const sink = memorySink();
    expect(sink.read(balances)).toEqual(new Map());
    const running = await troupe.project(balances, sink);
    for (let i = 1; i <= 20; i++) {
      await troupe.agent(account, "alice").deposit({ amount: 1 });
      await running.caughtUp();
      expect(sink.read(balances).get("alice")).toBe(i);
    }
    expect(running).toMatchObject({ name: "balances", version: 1, lag: 0, applied: 20 });
    await running.stop();
    await running.ended;
    await expect(running.caughtUp()).resolves.toBeUndefined();
    await troupe.agent(account, "alice").deposit({ amount: 1 });
    await expect(running.caughtUp()).rejects.toMatchObject({ code: "stopped" });
  });

  test("says what it does in the inspection feed", async () => {
    await using troupe = await bank();
    await troupe.agent(account, "alice").deposit({ amount: 1 });
    const running = await troupe.project(balances, memorySink());
    await running.caughtUp();
    await running.stop();
    const said = troupe.events.filter(({ kind }) => kind.startsWith("projection."));
    expect(said).toEqual([
      { kind: "projection.started", projection: "balances", version: 1, after: 0 },
      {
        kind: "projection.applied",
        projection: "balances",
        records: 1,
        events: 1,
        position: running.position,
        lag: 0,
        tookMs: expect.any(Number),
      },
      { kind: "projection.stopped", projection: "balances", position: running.position },
    ]);
  });

  test("a poison event ends the run with its position, agent and event", async () => {
    await using troupe = await bank();
    await troupe.agent(account, "alice").deposit({ amount: 1 });
    await troupe.agent(account, "bob").close({ reason: "poison" });
    const sink = memorySink();
    const running = await troupe.project(balances, sink);
    const failure = await running.ended.catch((error: unknown) => error);
    expect(failure).toBeInstanceOf(PoisonEventError);
    // Events that were read in the same batch before it are kept.
    expect(sink.read(balances)).toEqual(new Map([["alice", 1]]));
    expect(failure).toMatchObject({
      details: { projection: "balances", agent: "account/bob", event: "closed" },
      cause: new Error("no such reason"),
    });
    await expect(running.caughtUp()).rejects.toBe(failure);
    const last = troupe.events.at(-1);
    expect(last).toMatchObject({ kind: "projection.stopped", failure: { code: "poison-event" } });
  });

  test("a poison event is skipped when the policy says so, and nothing else is", async () => {
    await using troupe = await bank();
    const sink = memorySink();
    await troupe.agent(account, "alice").deposit({ amount: 1 });
    await troupe.agent(account, "bob").close({ reason: "poison" });
    await troupe.agent(account, "alice").deposit({ amount: 2 });
    await using running = await troupe.project(balances, sink, { poison: "skip" });
    await running.caughtUp();
    expect(sink.read(balances)).toEqual(new Map([["alice", 3]]));
    expect(running.skipped).toBe(1);
    const skipped = troupe.events.filter(({ kind }) => kind === "projection.skipped");
    expect(skipped).toMatchObject([{ agent: { key: "bob" }, failure: { code: "poison-event" } }]);
  });

  test("an event of a newer version ends the run, also when poison events are skipped", async () => {
    const newer = agent("account")
      .event("deposited", z.unknown(), (state) => state, {
        version: 2,
        upcast: { 1: (data) => data },
      })
      .on("deposit", z.number(), (ctx, cents) => ctx.emit.deposited({ cents }));
    await using troupe = createTroupe(createMemoryBroker().connect());
    await troupe.work(newer, { timings: { joinDelayMs: 0 } });
    await troupe.agent(newer, "alice").deposit(5);
    const sink = memorySink();
    const running = await troupe.project(balances, sink, { poison: "skip" });
    await expect(running.ended).rejects.toMatchObject({
      code: "poison-event",
      cause: { code: "newer-event", details: { agent: "account/alice", version: 2, declared: 1 } },
      message: expect.stringContaining("Run the newer code instead."),
    });
    expect(sink.read(balances)).toEqual(new Map());
    expect(running.skipped).toBe(0);
  });

  test("an unavailable sink is tried again, a bounded number of times", async () => {
    await using troupe = await bank();
    await troupe.agent(account, "alice").deposit({ amount: 1 });
    const down = applying(memorySink(), async () => {
      throw new SinkUnavailableError("It is down.");
    });
    const retry = { attemptsMax: 3, delayMs: 1, delayMsMax: 2 };
    const running = await troupe.project(balances, down, { retry });
    await expect(running.ended).rejects.toMatchObject({ code: "sink-unavailable" });
    const retrying = troupe.events.filter(({ kind }) => kind === "projection.retrying");
    expect(retrying).toMatchObject([{ attempt: 1 }, { attempt: 2 }]);
  });

  test("a sink that refuses ends the run at once", async () => {
    await using troupe = await bank();
    await troupe.agent(account, "alice").deposit({ amount: 1 });
    const refusing = applying(memorySink(), async () => {
      throw new SinkRefusedError("You may not.");
    });
    const running = await troupe.project(balances, refusing);
    await expect(running.ended).rejects.toMatchObject({ code: "sink-refused" });
  });

  test("reading ahead is bounded while the sink is slow, and the lag says what is left", async () => {
    await using troupe = await bank();
    for (let i = 0; i < 30; i++) await troupe.agent(account, "alice").deposit({ amount: 1 });
    const sink = memorySink();
    const gate = Promise.withResolvers<void>();
    const slow = applying(sink, async (...call) => {
      await gate.promise;
      return sink.apply(...call);
    });
    const options = { batchSizeMax: 3, readAheadMax: 5 };
    await using running = await troupe.project(balances, slow, options);
    expect(running).toMatchObject({ lag: 30, position: 0 });
    gate.resolve();
    await running.caughtUp();
    expect(running.lag).toBe(0);
    expect(sink.read(balances).get("alice")).toBe(30);
  });

  test("a signal stops the run, and ends a wait", async () => {
    await using troupe = await bank();
    const end = new AbortController();
    const running = await troupe.project(balances, memorySink(), { signal: end.signal });
    await expect(running.caughtUp(AbortSignal.abort(new Error("enough")))).rejects.toThrow(
      "enough",
    );
    end.abort();
    await running.ended;
    const late = troupe.project(balances, memorySink(), { signal: end.signal });
    await expect(late).rejects.toMatchObject({ name: "AbortError" });
  });

  test("closing the client stops its projections", async () => {
    const troupe = await bank();
    const running = await troupe.project(balances, memorySink());
    await troupe.close();
    await expect(running.ended).resolves.toBeUndefined();
  });

  test.each([{ batchSizeMax: 0 }, { readAheadMax: 0 }, { retry: { delayMs: -1 } }])(
    "refuses %j",
    async (options) => {
      await using troupe = await bank();
      const running = troupe.project(balances, memorySink(), options);
      await expect(running).rejects.toMatchObject({ code: "definition" });
    },
  );
});
