/** Removing of all agents of a type at once (PREFIX-1 to PREFIX-3, CENSUS-1 to CENSUS-3). */
import { describe, expect, it, vi } from "vitest";
import { z } from "zod";

import type { InspectionEvent } from "@troupe/core";
import type { Log } from "@troupe/core/log";
import { agent, createTroupe } from "@troupe/core";
import { encodeBaseRecord } from "@troupe/core/engine";
import { createMemoryBroker, overlay } from "@troupe/testing";
import { systemClock } from "../../clock/clock.ts";
import { inspectionFeed } from "../inspection/inspection-feed.ts";
import { agentRuntime } from "../runtime/agent-runtime.ts";
import { Census } from "./census.ts";
import { removePrefix } from "./prefix.ts";

const counter = agent("counter")
  .retention({ turns: 10 })
  .state({ count: 0 })
  .event("counted", z.number(), ({ count }, by) => ({ count: count + by }))
  .on("count", z.number(), (ctx, by) => {
    ctx.emit.counted(by);
    return ctx.state.count;
  });

const runtime = agentRuntime(counter);

describe("removing by prefix", () => {
  it("shortens all journals of a type, and every agent goes on", async () => {
    const broker = createMemoryBroker();
    await using troupe = createTroupe(broker.connect());
    const events: InspectionEvent[] = [];
    troupe.inspect((event) => void events.push(event));
    // The pace of the collector alone would take hours.
    const collector = { settleMs: 0, lookMs: 5, agentsPerSecond: 1, sweepMs: 1e9, prefixMin: 64 };
    await troupe.work(counter, { timings: { joinDelayMs: 0 }, collector });
    const keys = Array.from({ length: 20 }, (_, index) => `key-${index}`);
    for (let each = 1; each <= 60; each++) {
      const counts = keys.map((key) => troupe.agent(counter, key).count(1));
      expect(await Promise.all(counts)).toEqual(keys.map(() => each));
    }
    await vi.waitFor(() => {
      const removed = events.flatMap((event) =>
        event.kind === "journals.truncated" ? [event.records] : [],
      );
      expect(removed.reduce((sum, count) => sum + count, 0)).toBeGreaterThan(300);
    }, 8000);
    await using other = createTroupe(broker.connect());
    await troupe.close();
    await other.work(counter, { timings: { joinDelayMs: 0 }, snapshotTurns: Infinity });
    for (const key of keys) {
      expect((await Array.fromAsync(other.turns("counter", key))).length).toBeGreaterThan(9);
      expect(await other.agent(counter, key).count(1)).toBe(61);
    }
  });

  it("stops at the first record of an agent of which nothing may go (CENSUS-1)", async () => {
    const log = createMemoryBroker().connect();
    const idle = await append(log, "idle", 0, turnBytes);
    await busy(log);
    expect((await censusOf(log)).bound(runtime, Date.now(), 0)).toMatchObject({
      records: idle,
      heldBy: { agent: { key: "idle" } },
    });
  });

  it("stops at what cannot be read here (I15)", async () => {
    const log = createMemoryBroker().connect();
    const [, base] = await busy(log);
    const after = await append(log, "busy", base, Buffer.from([0x81, 0xa1, 0x76, 9]));
    await append(log, "busy", after, baseBytes(1));
    const { heldBy, records } = (await censusOf(log)).bound(runtime, Date.now(), 0);
    expect(heldBy?.isUnreadable).toBe(true);
    expect(records).toBe(1);
  });

  it("leaves inputs that are needed, archives first, and asks the log about the bound", async () => {
    const broker = createMemoryBroker();
    const log = broker.connect();
    const told: string[] = [];
    const removals = { unhandled: Infinity, originals: new Map<string, number>(), isThere: true };
    const watched = overlay(log, {
      at: async (position) => (removals.isThere ? log.at(position) : undefined),
      truncateJournals: async (type, before) => {
        told.push(`records before ${before}`);
        return log.truncateJournals(type, before);
      },
      removeInputs: async (place, before) => {
        told.push(`inputs before ${before}`);
        return log.removeInputs(place, before);
      },
    });
    await busy(log);
    const last = await append(log, "other", 0, turnBytes);
    const remove = async (): Promise<readonly string[]> => {
      told.length = 0;
      const { originals, unhandled } = removals;
      const look = { atMs: 0, below: last, unhandled, originals };
      const bound = { records: 3, inputs: 3, first: 1, heldBy: undefined, count: 2 };
      const keep = async (_: unknown, upTo: number): Promise<number> => {
        told.push(`archived up to ${upTo}`);
        return upTo;
      };
      const footing = { marks: async () => [{ log: "", position: 1, storedAtMs: 1 }] };
      const { signal } = new AbortController();
      const host = { log: watched, archive: { keep }, clock: systemClock, feed, footing, signal };
      await removePrefix(host, "counter", { bound, look });
      return [...told];
    };
    removals.isThere = false;
    expect(await remove()).toEqual([]);
    removals.isThere = true;
    removals.unhandled = 2;
    expect(await remove()).toEqual(["archived up to 3", "records before 3", "inputs before 2"]);
    removals.unhandled = Infinity;
    removals.originals.set("agent/counter/busy", 1);
    expect(await remove()).toEqual(["archived up to 3", "records before 3"]);
  });
});

const feed = inspectionFeed(() => undefined);

/** A turn of an unknown code, of which only the beginning is looked at. */
const turnBytes = Buffer.from([0x82, 0xa1, 0x76, 1, 0xa1, 0x6e, 1]);

function baseBytes(turns: number): Uint8Array {
  const { foldVersion } = runtime;
  const place = { log: "", turns, lastInput: 1, previous: 1, coveredAtMs: 1, openAsks: [] };
  const base = { ...place, state: { count: 1 }, stateVersion: 1, foldVersion };
  return encodeBaseRecord({ ...base, worker: "w", version: "v" }, "counter/busy", 1e6);
}

/** A base record with enough turns behind it. */
async function busy(log: Log): Promise<readonly [number, number]> {
  const base = await append(log, "busy", 0, baseBytes(0));
  let last = base;
  for (let each = 0; each < 20; each++) last = await append(log, "busy", last, turnBytes);
  return [base, last];
}

async function append(log: Log, key: string, after: number, record: Uint8Array): Promise<number> {
  const commit = { agent: { type: "counter", key }, expectedRevision: after, outgoing: [] };
  const [position = 0] = await log.commit([{ ...commit, record }]);
  return position;
}

async function censusOf(log: Log): Promise<Census> {
  const census = new Census();
  for await (const entry of log.follow({ from: 1, untilNow: true })) {
    if (entry.kind === "turn") census.see(entry.agent, entry.entry);
  }
  return census;
}
