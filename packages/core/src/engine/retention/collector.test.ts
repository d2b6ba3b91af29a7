/** Entries that the collector must not remove, whatever the base records say. */
import { describe, expect, it, vi } from "vitest";
import { z } from "zod";

import type { InspectionEvent } from "@troupe/core";
import type { Log } from "@troupe/core/log";
import { agent, createTroupe, topic } from "@troupe/core";
import { lowWater } from "@troupe/core/log";
import { createMemoryBroker, overlay } from "@troupe/testing";
import { deadLetterOriginals, firstUnhandled, heldFrom } from "./unhandled.ts";

const quick = { joinDelayMs: 0 };
const collector = { settleMs: 0, lookMs: 1, agentsPerSecond: 10_000, sweepMs: 20 };

const counter = agent("counter")
  .retention({ turns: 1 })
  .state({ count: 0 })
  .event("counted", z.number(), ({ count }, by) => ({ count: count + by }))
  .on("count", z.number(), (ctx, by) => {
    if (by < 0) throw new Error("not so");
    ctx.emit.counted(by);
    return ctx.state.count;
  });

const alice = { type: "counter", key: "alice" };

describe("the collector", () => {
  it("keeps the originals of dead letters, so that they can be redriven", async () => {
    const broker = createMemoryBroker();
    await using troupe = createTroupe(broker.connect());
    await troupe.work(counter, { timings: quick, collector, retry: { attemptsMax: 1 } });
    const count = (by: number): Promise<unknown> => troupe.agent(counter, "alice").count(by);
    for (let each = 0; each < 10; each++) await count(1);
    await expect(count(-1)).rejects.toThrow("not so");
    for (let each = 0; each < 60; each++) await count(1);
    const { log } = troupe;
    await vi.waitFor(async () => {
      const left = await log.inputsOf(alice, [], 0, 1e9);
      expect(left.length).toBe(61);
    }, 5000);
    const originals = await deadLetterOriginals(log);
    expect(await log.input(heldFrom(originals, ["agent/counter/alice"]))).toBeDefined();
  });

  it("keeps inputs that some type has not handled (UNHANDLED-1), also one without a floor (UNHANDLED-3)", async () => {
    const broker = createMemoryBroker({ partitions: 1 });
    const log = broker.connect();
    const mark = { log: "this one", position: 1, storedAtMs: 1 };
    const floor = (type: string, position: number) => ({ type, partition: 0, position, mark });
    const accept = async (name: string): Promise<number> => {
      const address = { kind: "agent", name, key: "one" } as const;
      return (await log.accept({ address, metadata: {}, payload: new Uint8Array(1) })).position;
    };
    const [first, second, third] = [await accept("a"), await accept("b"), await accept("a")];
    expect(await firstUnhandled(log, [floor("a", first), floor("b", second)])).toBe(third);
    expect(await firstUnhandled(log, [floor("a", third), floor("b", first)])).toBe(second);
    expect(await firstUnhandled(log, [floor("a", third), floor("b", second)])).toBe(Infinity);
    expect(await firstUnhandled(log, [floor("a", first), floor("gone", 0)])).toBe(third);
    const noMark = { ...floor("a", third), mark: undefined };
    expect(await firstUnhandled(log, [noMark, floor("b", second)])).toBe(first);
    await log.register({ type: "b", version: "1", messages: ["m"], topics: [], events: [] });
    expect(await firstUnhandled(log, [floor("a", third)])).toBe(second);
  });

  it("removes nothing when the log has something else where the base record was (BASE-4)", async () => {
    const broker = createMemoryBroker();
    const truncated = vi.fn<() => void>();
    const blind = (log: Log): Log =>
      overlay(log, {
        at: async (position) => {
          const found = await log.at(position);
          return found && { ...found, payload: await turnBefore(log, position, found.payload) };
        },
        truncateJournal: async (...request) => {
          truncated();
          return log.truncateJournal(...request);
        },
      });
    const looks: InspectionEvent[] = [];
    await using troupe = createTroupe(blind(broker.connect()));
    troupe.inspect((event) => void looks.push(event));
    await troupe.work(counter, { timings: quick, collector });
    for (let each = 0; each < 80; each++) await troupe.agent(counter, "alice").count(1);
    await vi.waitFor(async () => expect(await lowWater(troupe.log)).toBeDefined(), 5000);
    expect(truncated).not.toHaveBeenCalled();
  });

  it("finds agents that nobody talks to any more, when their turns are beyond their age", async () => {
    const idle = agent("counter")
      .retention({ ageMs: 50 })
      .state({ count: 0 })
      .event("counted", z.number(), ({ count }, by) => ({ count: count + by }))
      .on("count", z.number(), (ctx, by) => {
        ctx.emit.counted(by);
        return ctx.state.count;
      });
    const broker = createMemoryBroker();
    await using troupe = createTroupe(broker.connect());
    await troupe.work(idle, { timings: quick, collector });
    for (let each = 0; each < 5; each++) await troupe.agent(idle, "alice").count(1);
    await vi.waitFor(async () => {
      expect((await troupe.log.journal(alice, 0)).length).toBe(1);
      expect(await troupe.log.inputsOf(alice, [], 0, 1e9)).toEqual([]);
    }, 8000);
    expect(await troupe.agent(idle, "alice").count(1)).toBe(6);
  });

  it("removes publications beyond their topic's age once everybody has handled them", async () => {
    const ticks = topic("ticks", z.number(), { retention: { ageMs: 100 } });
    const listener = agent("listener")
      .state({ seen: 0 })
      .event("saw", z.number(), ({ seen }) => ({ seen: seen + 1 }))
      .subscribe(ticks, (ctx, tick) => ctx.emit.saw(tick));
    const broker = createMemoryBroker();
    await using troupe = createTroupe(broker.connect());
    await troupe.work(listener, { timings: quick, collector });
    for (let each = 0; each < 5; each++) await troupe.publish(ticks, "one", each);
    await vi.waitFor(async () => {
      const left = await troupe.log.inputsOf({ type: "listener", key: "one" }, ["ticks"], 0, 1e9);
      expect(left.length).toBe(0);
    }, 8000);
    expect((await Array.fromAsync(troupe.turns("listener", "one"))).length).toBe(5);
  });
});

/** The record before this one, where it is a base record: as on a log that went back and on. */
async function turnBefore(log: Log, position: number, payload: Uint8Array): Promise<Uint8Array> {
  const records = await log.journal(alice, 0);
  const index = records.findIndex(({ revision }) => revision === position);
  return records[index - 1]?.record ?? payload;
}
