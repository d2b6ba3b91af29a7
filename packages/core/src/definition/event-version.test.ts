/** Events are lifted to the version that is declared today, wherever they are read. */
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { z } from "zod";

import type { EventOptions } from "@troupe/core";
import type { AgentDefinition } from "@troupe/core/engine";
import type { RecordedEvent } from "@troupe/core/operate";
import { agent, createTroupe, memoryModel, memorySink, projection } from "@troupe/core";
import { createMemoryBroker, given } from "@troupe/testing";
import { decodeRecord } from "../journal/journal-record.ts";
import { encodeRecord } from "../journal/turn-record-codec.ts";
import { decodePayload } from "../wire/payload.ts";
import { agentRuntime } from "../engine/runtime/agent-runtime.ts";

const quick = { timings: { joinDelayMs: 0 } };
const place = { agent: { type: "account", key: "alice" }, position: 7 };

const v1 = z.number();
const v2 = z.object({ amount: z.number() });
const v3 = z.object({ cents: z.int(), currency: z.string() });

/** The same agent as three releases of its code declare it. */
const first = agent("account")
  .state({ cents: 0 })
  .event("deposited", v1, ({ cents }, amount) => ({ cents: cents + amount * 100 }))
  .on("deposit", z.number(), (ctx, amount) => {
    ctx.emit.deposited(amount);
    return ctx.state.cents;
  });
const second = agent("account")
  .state({ cents: 0 })
  .event("deposited", v2, ({ cents }, { amount }) => ({ cents: cents + amount * 100 }), {
    version: 2,
    upcast: { 1: (data) => ({ amount: v1.parse(data) }) },
  })
  .on("deposit", z.number(), (ctx, amount) => {
    ctx.emit.deposited({ amount });
    return ctx.state.cents;
  });
const third = agent("account")
  .state({ cents: 0 })
  .event("deposited", v3, (state, { cents }) => ({ cents: state.cents + cents }), {
    version: 3,
    upcast: {
      1: (data) => ({ amount: v1.parse(data) }),
      2: (data) => ({ cents: v2.parse(data).amount * 100, currency: "EUR" }),
    },
  })
  .on("deposit", z.number(), (ctx, amount) => {
    ctx.emit.deposited({ cents: amount * 100, currency: "USD" });
    return ctx.state.cents;
  });

describe("an event of an earlier version", () => {
  it("gives the same state whichever release recorded which turn, with any snapshots (I8)", async () => {
    const deposits = fc.array(
      fc.record({ release: fc.constantFrom(1, 2, 3), amount: fc.integer({ min: 1, max: 1000 }) }),
      { minLength: 1, maxLength: 8 },
    );
    const run = fc.asyncProperty(
      deposits,
      fc.integer({ min: 1, max: 3 }),
      async (all, snapshotTurns) => {
        const sorted = all.toSorted((a, b) => a.release - b.release);
        const broker = createMemoryBroker();
        let sum = 0;
        for (const { release, amount } of sorted) {
          const definition = [first, second, third][release - 1] as typeof first;
          await using troupe = createTroupe(broker.connect());
          await troupe.work(definition, { ...quick, snapshotTurns });
          sum += amount * 100;
          expect(await troupe.agent(definition, "alice").deposit(amount)).toBe(sum);
        }
        await using troupe = createTroupe(broker.connect());
        const seen: unknown[] = [];
        let last: unknown;
        const currencies = projection(
          "currencies",
          memoryModel((): string[] => []),
        ).on(
          third,
          "deposited",
          (model, { cents, currency }) => void model.push(`${cents} ${currency}`),
        );
        const sink = memorySink();
        const running = await troupe.project(currencies, sink);
        await running.caughtUp();
        for await (const { events, record, state } of troupe.replay(third, "alice")) {
          seen.push(events[0]?.data);
          expect(events[0]?.version).toBe(3);
          expect(record.events[0]?.version ?? 1).toBe(sorted[seen.length - 1]?.release);
          last = state;
        }
        const lifted = sorted.map(({ amount, release }) => ({
          cents: amount * 100,
          currency: release === 3 ? "USD" : "EUR",
        }));
        expect(last).toEqual({ cents: sum });
        expect(seen).toEqual(lifted);
        expect(sink.read(currencies)).toEqual(lifted.map((e) => `${e.cents} ${e.currency}`));
      },
    );
    await fc.assert(run, { numRuns: 20 });
  });

  it("can be given in a test, beside events of today", async () => {
    const history = [
      { type: "deposited", version: 1, data: 1 },
      { type: "deposited", version: 2, data: { amount: 2 } },
      { type: "deposited", data: { cents: 300, currency: "USD" } },
    ] as const;
    await given(third, history)
      .when("deposit", 4)
      .then({
        events: [{ type: "deposited", data: { cents: 400, currency: "USD" } }],
        state: { cents: 1000 },
      });
  });

  it("cannot be changed by its upcaster", () => {
    const greedy = versioned({ version: 2, upcast: { 1: (data) => Object.assign(data as {}, v) } });
    const v = { n: 2 };
    expect(() => fold(greedy, { type: "happened", data: { n: 1 } })).toThrow(
      expect.objectContaining({ code: "upcast-failed" }),
    );
  });
});

describe("a snapshot", () => {
  it("of another version of an event is not used", async () => {
    const broker = createMemoryBroker();
    const wrong = agent("account")
      .state({ cents: 0 })
      .event("deposited", v1, ({ cents }, amount) => ({ cents: cents + amount }))
      .on("deposit", z.number(), (ctx, amount) => ctx.emit.deposited(amount));
    {
      await using troupe = createTroupe(broker.connect());
      const saved = new Promise<void>((resolve) =>
        troupe.inspect(({ kind }) => (kind === "snapshot.saved" ? resolve() : undefined)),
      );
      await troupe.work(wrong, { ...quick, snapshotTurns: 1 });
      await troupe.agent(wrong, "alice").deposit(1);
      await saved;
    }
    await using troupe = createTroupe(broker.connect());
    await troupe.work(second, quick);
    expect(await troupe.agent(second, "alice").deposit(1)).toBe(200);
  });
});

describe("a turn record", () => {
  it("says the version of an event from its second one on, and reads records without", () => {
    const events = [
      { type: "a", data: 1 },
      { type: "b", data: 2, version: 2 },
    ];
    const bytes = encodeRecord(recordOf(events));
    expect(decodePayload(bytes, "application/msgpack")).toMatchObject({
      e: [
        ["a", 1],
        ["b", 2, 2],
      ],
    });
    expect(decodeRecord(bytes).events).toEqual(events);
  });
});

describe("a fold", () => {
  const details = { agent: "account/alice", event: "happened", position: 7 };

  it("that meets an event nobody declares says which, where, and what to add", () => {
    const bare = agent("account") as AgentDefinition;
    expect(() => fold(bare, { type: "happened", data: 1 })).toThrow(
      expect.objectContaining({
        code: "unknown-event",
        message: expect.stringMatching(/happened of account\/alice at position 7.*\.event\("happ/),
        details,
      }),
    );
  });

  it("that meets an event of newer code says so", () => {
    const old = versioned({ version: 2, upcast: { 1: (data) => data } });
    expect(() => fold(old, { type: "happened", data: 1, version: 3 })).toThrow(
      expect.objectContaining({
        code: "newer-event",
        message: expect.stringMatching(/version 2 of .* version 3: update this worker/),
        details: { ...details, version: 3, declared: 2 },
      }),
    );
  });

  it.each([0, 0.5, Number.NaN, "2"])(
    "that meets an event of version %s says that nothing lifts it",
    (version) => {
      const event = { type: "happened", data: 1, version } as RecordedEvent;
      const two = versioned({ version: 2, upcast: { 1: (data) => data } });
      expect(() => fold(two, event)).toThrow(expect.objectContaining({ code: "missing-upcaster" }));
    },
  );

  it("whose upcaster throws, or is asynchronous, says which one", () => {
    const throwing = versioned({
      version: 2,
      upcast: {
        1: () => {
          throw new Error("no amount");
        },
      },
    });
    const asynchronous = versioned({ version: 2, upcast: { 1: async (data) => data } });
    for (const [definition, why] of [
      [throwing, "no amount"],
      [asynchronous, "promise"],
    ] as const) {
      expect(() => fold(definition, { type: "happened", data: 1 })).toThrow(
        expect.objectContaining({
          code: "upcast-failed",
          message: expect.stringContaining(why),
          details: { ...details, version: 1, from: 1 },
        }),
      );
    }
  });
});

describe("the declaration of an event", () => {
  const same = (data: unknown): unknown => data;

  it.each([
    [{ version: 2 }, "nothing lifts version 1 to 2"],
    [{ version: 3, upcast: { 2: same } }, "nothing lifts version 1 to 2"],
    [{ version: 3, upcast: { 1: same } }, "nothing lifts version 2 to 3"],
    [{ version: 2, upcast: { 1: "x" } }, "nothing lifts version 1 to 2"],
    [{ upcast: { 1: same } }, "nothing can be lifted from version 1"],
    [{ version: 2, upcast: { 1: same, 2: same } }, "nothing can be lifted from version 2"],
    [{ version: 2, upcast: { 0: same, 1: same } }, "nothing can be lifted from version 0"],
    [{ version: 2, upcast: { 1: same, x: same } }, "nothing can be lifted from version x"],
    [{ version: 2, upcast: { 1: same, 1.5: same } }, "nothing can be lifted from version 1.5"],
    [{ version: 0 }, "whole number from 1"],
    [{ version: Number.NaN }, "whole number from 1"],
    [{ version: 1.5 }, "whole number from 1"],
  ])("with %o is refused", (options, why) => {
    expect(() => versioned(options as EventOptions)).toThrow(
      expect.objectContaining({ code: "definition", message: expect.stringContaining(why) }),
    );
  });

  it("refuses a version of the state that is no whole number", () => {
    expect(() => agent("a").state({}, { version: Number.NaN })).toThrow("whole number from 1");
  });
});

function versioned(options: EventOptions): AgentDefinition {
  return agent("account").event("happened", z.unknown(), (state) => state, options);
}

function fold(definition: AgentDefinition, event: RecordedEvent): unknown {
  return agentRuntime(definition).fold(definition.initialState, event, place);
}

function recordOf(events: readonly RecordedEvent[]): Parameters<typeof encodeRecord>[0] {
  return {
    turn: 1,
    inputPosition: 1,
    messageId: "m",
    message: "m",
    events,
    sent: [],
    log: "",
    receivedAtMs: 0,
    attempts: 1,
    traceparent: "",
    worker: "",
    version: "",
    acceptedAtMs: 0,
    startedAtMs: 0,
    tookMs: 0,
  };
}
