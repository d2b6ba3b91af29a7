import * as fc from "fast-check";
import { describe, expect, it, vi } from "vitest";
import { z } from "zod";

import type { AgentDefinition, InspectionEvent, Log, Position } from "@troupe/core";
import { agent, createTroupe } from "@troupe/core";
import { createMemoryBroker } from "@troupe/core/testing";
import { decodeSnapshot, encodeSnapshot } from "./snapshot.ts";

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

  it("of a state that is not plain data is not taken, and the agent goes on", async () => {
    const seen = agent("seen")
      .state({ names: new Map<string, number>() })
      .event("noticed", z.string(), ({ names }, name) => ({
        names: new Map([...names, [name, (names.get(name) ?? 0) + 1]]),
      }))
      .on("notice", z.string(), (ctx, name) => {
        ctx.emit.noticed(name);
        return ctx.state.names.size;
      });
    const faults = await faultsOf(seen, async (troupe) => {
      for (const name of ["a", "b", "c"]) await troupe.agent(seen, "x").notice(name);
    });
    expect(faults).toContainEqual(
      expect.objectContaining({
        code: "unsnapshotable-state",
        details: { agent: "seen/x", path: "state.names" },
      }),
    );
  });

  it("that is too large for the log is reported by name, and the agent goes on", async () => {
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
    expect(faults).toContainEqual(expect.objectContaining({ code: "payload-too-large" }));
  });

  it("of a format from the future is ignored", () => {
    const snapshot = { state: 1, turns: 2, lastInput: 3, revision: 4, foldVersion: "1" };
    const bytes = encodeSnapshot(snapshot, "a/b");
    expect(decodeSnapshot(bytes)).toEqual(snapshot);
    // The format number is the first value of the map.
    const future = new Uint8Array(bytes);
    future[3] = 2;
    expect(decodeSnapshot(future)).toBeUndefined();
  });
});

async function fill(log: Log, turns: number, options: { snapshotTurns: number }): Promise<void> {
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
