import { describe, expect, it, vi } from "vitest";
import { z } from "zod";

import type { InspectionEvent, Troupe } from "@troupe/core";
import { agent, createTroupe } from "@troupe/core";
import { encodeBaseRecord } from "@troupe/core/engine";
import { createMemoryBroker, type MemoryBroker } from "@troupe/testing";

const quick = { joinDelayMs: 0 };
const collector = { settleMs: 0, lookMs: 1, agentsPerSecond: 10_000 };

const v1 = agent("account")
  .retention({ turns: 16 })
  .state({ euros: 0 })
  .event("deposited", z.number(), ({ euros }, amount) => ({ euros: euros + amount }))
  .on("deposit", z.number(), (ctx, amount) => {
    ctx.emit.deposited(amount);
    return ctx.state.euros;
  });

/** The same agents with another shape of the state, and another shape of the event. */
const secondVersion = (migrate: Readonly<Record<number, (state: unknown) => unknown>>) =>
  agent("account")
    .retention({ turns: 16 })
    .state({ cents: 0 }, { version: 2, migrate })
    .event(
      "deposited",
      z.object({ cents: z.number() }),
      ({ cents }, deposit) => ({ cents: cents + deposit.cents }),
      { version: 2, upcast: { 1: (euros) => ({ cents: 100 * z.number().parse(euros) }) } },
    )
    .on("deposit", z.number(), (ctx, cents) => {
      ctx.emit.deposited({ cents });
      return ctx.state.cents;
    });

const euros = z.object({ euros: z.number() });
const v2 = secondVersion({ 1: (state) => ({ cents: 100 * euros.parse(state).euros }) });

describe("a changed fold, where its events are not kept any more", () => {
  it("goes on from the migrated state, with the events that are kept folded anew", async () => {
    const broker = await truncated();
    await using troupe = createTroupe(broker.connect());
    await troupe.work(v2, { timings: quick, collector });
    expect(await troupe.agent(v2, "alice").deposit(1)).toBe(6001);
  });

  it("has a base record of its own after its first turn, so a journal grows by what is kept only", async () => {
    const broker = await truncated();
    await using troupe = createTroupe(broker.connect());
    const events: InspectionEvent[] = [];
    troupe.inspect((event) => events.push(event));
    await troupe.work(v2, { timings: quick, collector });
    const bases = () => events.filter(({ kind }) => kind === "base.stored");
    await troupe.agent(v2, "alice").deposit(1);
    await vi.waitFor(() => expect(bases()).toHaveLength(1), 5000);
    for (let each = 0; each < 16; each++) await troupe.agent(v2, "alice").deposit(1);
    await begins(troupe, 61);
    expect(bases()).toHaveLength(1);
  });

  it("waits by name without a migration, and handles nothing wrong", async () => {
    const broker = await truncated();
    await using troupe = createTroupe(broker.connect());
    const faults = faultsOf(troupe);
    const bare = secondVersion({});
    await troupe.work(bare, { timings: quick, collector });
    await troupe.send(bare, "alice").deposit(1);
    await vi.waitFor(() => expect(faults()).toContain("missing-migration"), 5000);
    await troupe.close();
    await using other = createTroupe(broker.connect());
    await other.work(v2, { timings: quick, collector });
    expect(await other.agent(v2, "alice").deposit(1)).toBe(6002);
  });

  it("waits in old code when newer code wrote the state (I15)", async () => {
    const broker = await truncated();
    {
      await using troupe = createTroupe(broker.connect());
      await troupe.work(v2, { timings: quick, collector });
      for (let each = 0; each < 40; each++) await troupe.agent(v2, "alice").deposit(0);
      await begins(troupe, 60);
    }
    await using old = createTroupe(broker.connect());
    const faults = faultsOf(old);
    await old.work(v1, { timings: quick, collector });
    await old.send(v1, "alice").deposit(1);
    await vi.waitFor(() => expect(faults()).toContain("newer-state"), 5000);
  });

  it("tells a migration that throws", async () => {
    const broker = await truncated();
    await using troupe = createTroupe(broker.connect());
    const faults = faultsOf(troupe);
    const wrong = secondVersion({
      1: () => {
        throw new Error("no");
      },
    });
    await troupe.work(wrong, { timings: quick, collector });
    await troupe.send(wrong, "alice").deposit(1);
    await vi.waitFor(() => expect(faults()).toContain("migration-failed"), 5000);
  });
});

it("migrations are for earlier versions only", () => {
  const chain = agent("a");
  const migrate = { 2: (state: unknown) => state };
  expect(() => chain.state({}, { version: 2, migrate })).toThrow(/migrate\.2 must be a function/);
  expect(() => chain.retention({})).toThrow(/says nothing/);
  expect(() => chain.retention({ turns: 0 })).toThrow(/turns is 0/);
  expect(() => chain.retention({ after: "never" as "ended" })).toThrow(/only be "ended"/);
});

it("a base record with any byte changed is known to be corrupt", async () => {
  const broker = await truncated();
  const log = broker.connect();
  const alice = { type: "account", key: "alice" };
  const [entry] = await log.journal(alice, 0);
  const bytes = entry?.record ?? new Uint8Array();
  bytes[bytes.length - 1] = (bytes.at(-1) ?? 0) ^ 1;
  const noSnapshot = createTroupe(broker.connect());
  const faults = faultsOf(noSnapshot);
  await noSnapshot.work(v1, { timings: quick, collector, snapshotTurns: Infinity });
  await noSnapshot.send(v1, "alice").deposit(1);
  await vi.waitFor(() => expect(faults()).toContain("corrupt-base"), 5000);
  await noSnapshot.close();
});

it("a state that is too large for a base record is told once, and the agent goes on", async () => {
  const base = {
    log: "",
    turns: 1,
    lastInput: 1,
    state: "x".repeat(100),
    stateVersion: 1,
    foldVersion: "1",
    previous: 1,
    coveredAtMs: 1,
    openAsks: [],
    worker: "w",
    version: "v",
  };
  expect(() => encodeBaseRecord(base, "a/b", 50)).toThrow(/makes a base record of \d+ bytes/);
  await using troupe = createTroupe(createMemoryBroker().connect());
  const faults = faultsOf(troupe);
  await troupe.work(v1, { timings: quick, collector, stateBytesMax: 10, snapshotTurns: Infinity });
  for (let each = 1; each <= 60; each++) {
    expect(await troupe.agent(v1, "alice").deposit(1)).toBe(each);
  }
  expect(faults()).toEqual(["base-too-large"]);
});

/** Sixty turns of the first version, of which the last ones are kept. */
async function truncated(): Promise<MemoryBroker> {
  const broker = createMemoryBroker();
  await using troupe = createTroupe(broker.connect());
  await troupe.work(v1, { timings: quick, collector, snapshotTurns: Infinity });
  for (let each = 0; each < 60; each++) await troupe.agent(v1, "alice").deposit(1);
  await begins(troupe, 1);
  return broker;
}

async function begins(troupe: Troupe, after: number): Promise<void> {
  await vi.waitFor(async () => {
    const [first] = await Array.fromAsync(troupe.turns("account", "alice"));
    expect(first?.record.turn).toBeGreaterThan(after);
  }, 5000);
}

function faultsOf(troupe: Troupe): () => readonly string[] {
  const events: InspectionEvent[] = [];
  troupe.inspect((event) => void events.push(event));
  return () => events.flatMap((event) => (event.kind === "fault" ? [event.failure.code] : []));
}
