import { describe, expect, it, vi } from "vitest";
import { z } from "zod";

import type { InspectionEvent, Troupe } from "@troupe/core";
import type { Log } from "@troupe/core/log";
import { agent, createTroupe, memoryModel, memorySink, projection } from "@troupe/core";
import { decodeJournalRecord, replay } from "@troupe/core/operate";
import { createMemoryBroker } from "@troupe/testing";

const quick = { joinDelayMs: 0 };
const at = { settleMs: 0, lookMs: 1, agentsPerSecond: 10_000 };

const ledger = agent("ledger")
  .retention({ turns: 20 })
  .state({ sum: 0, count: 0 })
  .event("booked", z.number(), ({ count, sum }, amount) => ({
    sum: sum + amount,
    count: count + 1,
  }))
  .on("book", z.number(), (ctx, amount) => {
    ctx.emit.booked(amount);
    return ctx.state;
  });

const alice = { type: "ledger", key: "alice" };

describe("retention by turns", () => {
  it("keeps at least as many turns, and the state goes on", async () => {
    const broker = createMemoryBroker();
    await using troupe = createTroupe(broker.connect());
    const events = heard(troupe);
    await troupe.work(ledger, { timings: quick, collector: at });
    for (let each = 1; each <= 100; each++) {
      expect(await troupe.agent(ledger, "alice").book(1)).toEqual({ sum: each, count: each });
    }
    await vi.waitFor(() => expect(truncatedOf(events).at(-1)?.turns).toBe(64), 5000);
    const first: number[] = [];
    const states: unknown[] = [];
    const onBeginning = ({ turn }: { readonly turn: number }): void => void first.push(turn);
    for await (const { state } of replay(troupe.log, ledger, "alice", { onBeginning })) {
      states.push(state);
    }
    expect(first).toEqual([65]);
    expect(states.length).toBe(36);
    expect(states.at(-1)).toEqual({ sum: 100, count: 100 });
    await vi.waitFor(async () => expect(await inputsOf(troupe.log)).toBe(36), 5000);
  });

  it("is the same fold for whoever activates the agent afterwards, with snapshots or without", async () => {
    const broker = createMemoryBroker();
    for (const snapshotTurns of [1, 7, Infinity]) {
      for (let round = 0; round < 4; round++) {
        await using troupe = createTroupe(broker.connect());
        const events = heard(troupe);
        await troupe.work(ledger, { timings: quick, collector: at, snapshotTurns });
        for (let each = 0; each < 25; each++) await troupe.agent(ledger, "bob").book(2);
        expect(events.filter(({ kind }) => kind === "fault")).toEqual([]);
      }
    }
    await using troupe = createTroupe(broker.connect());
    await troupe.work(ledger, { timings: quick, collector: at });
    expect(await troupe.agent(ledger, "bob").book(0)).toEqual({ sum: 600, count: 301 });
    for (let each = 0; each < 45; each++) await troupe.agent(ledger, "bob").book(0);
    await vi.waitFor(async () => {
      const page = await troupe.log.journal({ type: "ledger", key: "bob" }, 0);
      expect(page.length).toBeLessThan(100);
    }, 5000);
  });

  it("is said by a projection that comes too late for the beginning, and only by that", async () => {
    const broker = createMemoryBroker();
    await using troupe = createTroupe(broker.connect());
    const events = heard(troupe);
    const sum = (name: string) =>
      projection(
        name,
        memoryModel(() => ({ sum: 0 })),
      ).on(ledger, "booked", (model, amount) => {
        model.sum += amount;
      });
    await troupe.work(ledger, { timings: quick, collector: at });
    const early = await troupe.project(sum("early"), memorySink());
    for (let each = 0; each < 100; each++) await troupe.agent(ledger, "alice").book(1);
    await vi.waitFor(() => expect(truncatedOf(events).at(-1)?.turns).toBe(64), 5000);
    await early.caughtUp();
    const late = await troupe.project(sum("late"), memorySink());
    await late.caughtUp();
    const begun = events.filter((event) => event.kind === "projection.begins");
    expect(begun).toMatchObject([{ projection: "late", agent: alice, turn: 65 }]);
    await Promise.all([early.stop(), late.stop()]);
  });

  it("removes nothing by default", async () => {
    const plain = agent("ledger")
      .state({ sum: 0 })
      .event("booked", z.number(), ({ sum }, amount) => ({ sum: sum + amount }))
      .on("book", z.number(), (ctx, amount) => ctx.emit.booked(amount));
    await using troupe = createTroupe(createMemoryBroker().connect());
    await troupe.work(plain, { timings: quick, collector: at });
    for (let each = 0; each < 100; each++) await troupe.agent(plain, "alice").book(1);
    const kinds = (await wholeJournal(troupe.log)).map(
      (record) => decodeJournalRecord(record).kind,
    );
    expect(new Set(kinds)).toEqual(new Set(["turn"]));
    expect(kinds.length).toBe(100);
  });
});

function heard(troupe: Troupe): InspectionEvent[] {
  const events: InspectionEvent[] = [];
  troupe.inspect((event) => void events.push(event));
  return events;
}

function truncatedOf(events: readonly InspectionEvent[]) {
  return events.filter((event) => event.kind === "journal.truncated");
}

async function wholeJournal(log: Log): Promise<readonly Uint8Array[]> {
  const records: Uint8Array[] = [];
  for (let after = 0; ;) {
    const page = await log.journal(alice, after);
    const last = page.at(-1);
    if (last === undefined) return records;
    records.push(...page.map(({ record }) => record));
    after = last.revision;
  }
}

async function inputsOf(log: Log): Promise<number> {
  return (await log.inputsOf(alice, [], 0, Number.MAX_SAFE_INTEGER)).length;
}
