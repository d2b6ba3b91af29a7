import * as fc from "fast-check";
import { describe, expect, it, vi } from "vitest";
import { z } from "zod";

import type { InspectionEvent } from "@troupe/core";
import type { AgentDefinition } from "@troupe/core/engine";
import type { Log, Position } from "@troupe/core/log";
import { agent, createTroupe } from "@troupe/core";
import { encodePayload } from "@troupe/core/log";
import { createMemoryBroker } from "@troupe/testing";
import { decodeSnapshot, encodeSnapshot, openSnapshot } from "./snapshot.ts";
import type { KeptSnapshot } from "./snapshot.ts";

const ledger = agent("ledger")
  .state({ entries: [] as readonly number[], sum: 0 })
  .event("booked", z.number(), ({ entries, sum }, amount) => ({
    entries: [...entries, amount].slice(-5),
    sum: sum + amount,
  }))
  .on("book", z.number(), (ctx, amount) => {
    ctx.emit.booked(amount);
    return ctx.state;
  });

const quick = { joinDelayMs: 0 };

const keeper = agent("keeper")
  .state<{ readonly last?: unknown; readonly before?: unknown }>({})
  .event("kept", z.unknown(), ({ last }, next) => ({ last: next, before: last }))
  .on("keep", z.unknown(), (ctx, next) => ctx.emit.kept(next))
  .on("look", z.void(), (ctx) => ctx.state);

function anyState(): fc.Arbitrary<unknown> {
  return fc
    .anything({ withDate: true, withMap: true, withSet: true, withNullPrototype: true })
    .filter((value) => isStorable(value));
}

function isStorable(value: unknown): boolean {
  try {
    return encodePayload(value).length > 0;
  } catch {
    return false;
  }
}

describe("a snapshot", () => {
  it("plus the tail of the journal is the same state as the whole journal (I8)", async () => {
    const run = fc.asyncProperty(
      fc.array(fc.integer(), { minLength: 1, maxLength: 40 }),
      fc.integer({ min: 1, max: 12 }),
      async (amounts, snapshotTurns) => {
        const broker = createMemoryBroker();
        await using first = createTroupe(broker.connect());
        await first.work(ledger, { snapshotTurns, timings: quick });
        for (const amount of amounts) await first.agent(ledger, "alice").book(amount);
        await first.close();

        await using second = createTroupe(broker.connect());
        await second.work(ledger, { timings: quick });
        const state = await second.agent(ledger, "alice").book(7);
        let replayed: unknown;
        for await (const turn of second.replay(ledger, "alice")) replayed = turn.state;
        expect(state).toEqual(replayed);
      },
    );
    await fc.assert(run, { numRuns: 30 });
  });

  it("keeps activation from reading the history before it", async () => {
    const broker = createMemoryBroker();
    await fill(broker.connect(), 25, { snapshotTurns: 10 });
    const reads: Position[] = [];
    await using troupe = createTroupe(spied(broker.connect(), reads));
    await troupe.work(ledger, { timings: quick });
    expect((await troupe.agent(ledger, "alice").book(1)).sum).toBe(26);
    expect(Math.min(...reads)).toBeGreaterThan(0);
  });

  it("of another version of the state is not used", async () => {
    const broker = createMemoryBroker();
    await fill(broker.connect(), 25, { snapshotTurns: 10 });
    const doubled = agent("ledger")
      .state({ sum: 0 }, { version: 2 })
      .event("booked", z.number(), ({ sum }, amount) => ({ sum: sum + 2 * amount }))
      .on("book", z.number(), (ctx, amount) => {
        ctx.emit.booked(amount);
        return ctx.state;
      });
    await using troupe = createTroupe(broker.connect());
    await troupe.work(doubled, { timings: quick });
    expect(await troupe.agent(doubled, "alice").book(1)).toEqual({ sum: 52 });
  });

  it("is the fold, whatever storable state it is (I12)", async () => {
    const run = fc.asyncProperty(fc.array(anyState(), { maxLength: 6 }), async (states) => {
      const broker = createMemoryBroker();
      const saved = vi.fn<() => void>();
      await using first = createTroupe(broker.connect());
      first.inspect(({ kind }) => void (kind === "snapshot.saved" && saved()));
      await first.work(keeper, { snapshotTurns: 1, timings: quick });
      for (const state of states) await first.agent(keeper, "x").keep(state);
      await vi.waitFor(() => expect(saved).toHaveBeenCalledTimes(states.length));
      const live = await first.agent(keeper, "x").look();
      await first.close();

      await using second = createTroupe(broker.connect());
      await second.work(keeper, { timings: quick });
      const fromSnapshot = await second.agent(keeper, "x").look();
      expect(fromSnapshot).toStrictEqual(live);
      let replayed: unknown = { last: undefined, before: undefined };
      for await (const turn of second.replay(keeper, "x")) replayed = turn.state;
      expect(encodePayload(replayed)).toEqual(encodePayload(fromSnapshot));
    });
    await fc.assert(run, { numRuns: 25 });
  });

  it("of a state that is too large is reported by name, and the agent goes on", async () => {
    const hoard = agent("hoard")
      .state({ text: "" })
      .event("grown", z.number(), ({ text }, bytes) => ({ text: text + "x".repeat(bytes) }))
      .on("grow", z.number(), (ctx, bytes) => {
        ctx.emit.grown(bytes);
        return ctx.state.text.length;
      });
    const faults = await faultsOf(hoard, async (troupe) => {
      expect(await troupe.agent(hoard, "x").grow(10_000_000)).toBe(10_000_000);
      expect(await troupe.agent(hoard, "x").grow(1)).toBe(10_000_001);
    });
    expect(faults).toContainEqual(
      expect.objectContaining({
        code: "state-too-large",
        details: expect.objectContaining({ agent: "hoard/x", bytesMax: 1_048_576 }),
      }),
    );
  });

  it("of a format from the future is ignored", () => {
    const bytes = encodeSnapshot(snapshot, record, { name: "a/b", bytesMax: Infinity });
    const kept = decodeSnapshot(bytes, "a/b") as KeptSnapshot;
    expect(openSnapshot(kept, record, "a/b")).toEqual(snapshot);
    const another = Uint8Array.of(...record, 0);
    expect(openSnapshot(kept, another, "a/b")).toMatchObject({ code: "corrupt-snapshot" });
    // The format is the first byte.
    bytes[0] = 5;
    expect(decodeSnapshot(bytes, "a/b")).toBeUndefined();
  });

  it("with any byte changed, or cut short anywhere, is known to be corrupt", () => {
    const bytes = encodeSnapshot(snapshot, record, { name: "a/b", bytesMax: Infinity });
    const where = fc.record({
      at: fc.integer({ min: 1, max: bytes.length - 1 }),
      change: fc.integer({ min: 1, max: 255 }),
    });
    const run = fc.property(where, ({ at, change }) => {
      const changed = bytes.map((byte, index) => (index === at ? byte ^ change : byte));
      expect(decodeSnapshot(changed, "a/b")).toMatchObject({ code: "corrupt-snapshot" });
      expect(decodeSnapshot(bytes.subarray(0, at), "a/b")).toMatchObject({
        code: "corrupt-snapshot",
        details: { agent: "a/b", bytes: at },
      });
    });
    fc.assert(run);
    expect(decodeSnapshot(new Uint8Array(), "a/b")).toMatchObject({ code: "corrupt-snapshot" });
  });

  it("that is corrupt is told as a fault, and the state is folded from the journal", async () => {
    const broker = createMemoryBroker();
    const log = broker.connect();
    await fill(log, 12, { snapshotTurns: 10 });
    const second = broker.connect();
    const alice = { type: "ledger", key: "alice" };
    const saved = (await second.snapshot(alice)) ?? new Uint8Array();
    await second.saveSnapshot(alice, saved.fill(0, 10, 12));
    const events: InspectionEvent[] = [];
    await using troupe = createTroupe(second);
    troupe.inspect((event) => void events.push(event));
    await troupe.work(ledger, { timings: quick });
    expect((await troupe.agent(ledger, "alice").book(1)).sum).toBe(13);
    expect(events.filter(({ kind }) => kind === "fault")).toMatchObject([
      { what: "snapshot of ledger/alice", failure: { code: "corrupt-snapshot" } },
    ]);
  });

  it("is taken when the journal has grown by enough bytes, in turns and in steps", async () => {
    const writer = agent("writer")
      .event("wrote", z.string(), (state) => state)
      .on("emit", z.number(), (ctx, bytes) => ctx.emit.wrote("x".repeat(bytes)))
      .on("step", z.number(), async (ctx, bytes) => {
        await ctx.step("draft", async () => "x".repeat(bytes));
      });
    const log = createMemoryBroker().connect();
    await using troupe = createTroupe(log);
    const turns: number[] = [];
    troupe.inspect((event) => {
      if (event.kind === "snapshot.saved") turns.push(event.turns);
    });
    await troupe.work(writer, {
      snapshotTurns: Infinity,
      snapshotBytes: 10_000,
      timings: quick,
    });
    const alice = troupe.agent(writer, "alice");
    for (const bytes of [6000, 6000, 100, 100]) await alice.emit(bytes);
    for (const bytes of [6000, 6000, 100]) await alice.step(bytes);
    await vi.waitFor(() => expect(turns).toEqual([2, 6]));
  });

  it("is due by the bytes that an activation had to read", async () => {
    const broker = createMemoryBroker();
    const never = { snapshotTurns: Infinity, snapshotBytes: Infinity };
    await fill(broker.connect(), 5, never);
    await using troupe = createTroupe(broker.connect());
    const saved = new Promise<number>((resolve) => {
      troupe.inspect((event) => {
        if (event.kind === "snapshot.saved") resolve(event.turns);
      });
    });
    // Five records have more than that, one has less.
    await troupe.work(ledger, { snapshotTurns: Infinity, snapshotBytes: 600, timings: quick });
    await troupe.agent(ledger, "alice").book(1);
    expect(await saved).toBe(6);
  });
});

const record = Uint8Array.of(1, 2, 3);

const snapshot = {
  state: [1],
  turns: 2,
  lastInput: 3,
  revision: 4,
  foldVersion: "1",
  recordSum: 5,
  openAsks: [],
  ended: undefined,
  baseTurns: 7,
  bases: [
    {
      revision: 3,
      turns: 7,
      lastInput: 2,
      coveredAtMs: 8,
      storedAtMs: 9,
      foldVersion: "1",
      ended: true,
    },
  ],
};

async function fill(
  log: Log,
  turns: number,
  options: { readonly snapshotTurns: number; readonly snapshotBytes?: number },
): Promise<void> {
  const saved = vi.fn<() => void>();
  await using troupe = createTroupe(log);
  troupe.inspect((event) => {
    if (event.kind === "snapshot.saved") saved();
  });
  await troupe.work(ledger, { ...options, timings: quick });
  for (let turn = 0; turn < turns; turn++) await troupe.agent(ledger, "alice").book(1);
  await vi.waitFor(() =>
    expect(saved).toHaveBeenCalledTimes(Math.floor(turns / options.snapshotTurns)),
  );
}

/** Notes after which position journals are read. */
function spied(log: Log, reads: Position[]): Log {
  return new Proxy(log, {
    get(target, name) {
      const value = Reflect.get(target, name) as unknown;
      if (typeof value !== "function") return value;
      return (...args: unknown[]): unknown => {
        if (name === "journal") reads.push(args[1] as Position);
        return Reflect.apply(value, target, args);
      };
    },
  });
}

async function faultsOf(
  definition: AgentDefinition,
  drive: (troupe: ReturnType<typeof createTroupe>) => Promise<void>,
): Promise<readonly unknown[]> {
  const events: InspectionEvent[] = [];
  await using troupe = createTroupe(createMemoryBroker().connect());
  troupe.inspect((event) => void events.push(event));
  await troupe.work(definition, { snapshotTurns: 1, timings: quick });
  await drive(troupe);
  await vi.waitFor(() => expect(events.some(({ kind }) => kind === "fault")).toBe(true));
  return events.flatMap((event) => (event.kind === "fault" ? [event.failure] : []));
}
