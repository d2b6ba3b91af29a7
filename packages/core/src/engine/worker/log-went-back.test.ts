/**
 * I16: every remembered position knows its log. The log in memory loses its tail, or everything.
 */
import { describe, expect, it, vi } from "vitest";
import { z } from "zod";

import type { InspectionEvent, Troupe } from "@troupe/core";
import type { Log } from "@troupe/core/log";
import { agent, createTroupe } from "@troupe/core";
import type { MemoryBroker } from "@troupe/testing";
import { createMemoryBroker, overlay } from "@troupe/testing";

import { decodeJournalRecord } from "../../journal/journal-record.ts";
import { encodeRecord } from "../../journal/turn-record-codec.ts";

const quick = {
  timings: { joinDelayMs: 0, heartbeatMs: 20 },
  retry: { delayMs: 1, delayMsMax: 2 },
  floorIntervalMs: 5,
  snapshotTurns: 2,
} as const;

const account = agent("account")
  .state({ sum: 0 })
  .event("added", z.number(), (state, by) => ({ sum: state.sum + by }))
  .on("add", z.number(), (ctx, by) => {
    ctx.emit.added(by);
    return ctx.state.sum;
  });

interface Hosting {
  readonly troupe: Troupe;
  readonly faults: string[];
}

async function hosting(log: Log): Promise<Hosting> {
  const troupe = createTroupe(log);
  const faults: string[] = [];
  troupe.inspect((event: InspectionEvent) => {
    if (event.kind === "fault") faults.push(`${event.what}: ${event.failure.code}`);
  });
  await troupe.work(account, quick);
  return { troupe, faults };
}

/** Adds 1 to each of these keys, some times over. */
async function add(troupe: Troupe, times: number): Promise<void> {
  for (let time = 0; time < times; time++) {
    for (const key of ["a", "b", "c"]) await troupe.agent(account, key).add(1);
  }
}

async function floorsAreSaved(troupe: Troupe): Promise<void> {
  await vi.waitFor(async () => {
    const inputs = await Array.fromAsync(
      troupe.log.follow({ from: 1, untilNow: true, kinds: ["input"] }),
    );
    const last = inputs.at(-1)?.kind === "input" ? inputs.length : 0;
    expect(last).toBeGreaterThan(0);
    const [floor] = await troupe.log.floors();
    const { last: end } = await troupe.log.end();
    expect(floor?.mark?.position).toBe(end);
  });
}

const losses: readonly [string, (broker: MemoryBroker, end: number) => void, string][] = [
  ["loses its tail", (broker, end) => broker.goBack(end / 2), "log-went-back"],
  ["is made anew", (broker) => broker.makeAnew(), "log-made-anew"],
];

describe.each(losses)("I16: when the log %s", (_, lose, code) => {
  it("while a worker runs, that is told and everything accepted later is handled", async () => {
    const broker = createMemoryBroker({ partitions: 1 });
    const { faults, troupe } = await hosting(broker.connect());
    await add(troupe, 4);
    await floorsAreSaved(troupe);
    const { last } = await troupe.log.end();
    lose(broker, last);
    await vi.waitFor(() => expect(faults).toContain(`log: ${code}`));
    const left = code === "log-made-anew" ? 0 : 2;
    expect(await troupe.agent(account, "a").add(0)).toBe(left);
    await add(troupe, 1);
    expect(await troupe.agent(account, "c").add(0)).toBe(left + 1);
    await troupe.close();
  });

  it("while no worker runs, floors and snapshots of it are refused and that is told", async () => {
    const broker = createMemoryBroker({ partitions: 1 });
    const before = await hosting(broker.connect());
    await add(before.troupe, 4);
    await floorsAreSaved(before.troupe);
    const { last } = await before.troupe.log.end();
    await before.troupe.close();
    lose(broker, last);
    const client = createTroupe(broker.connect());
    // So many that the old positions are there again.
    for (let n = 0; n < last; n++) await client.send(account, "z").add(1);
    const { faults, troupe } = await hosting(broker.connect());
    expect(await troupe.agent(account, "z").add(0)).toBe(last);
    expect(faults).toContain(`floors: ${code}`);
    expect(await troupe.agent(account, "a").add(0)).toBe(code === "log-made-anew" ? 0 : 2);
    expect(faults).toContain("snapshot of account/a: foreign-snapshot");
    await troupe.close();
    await client.close();
  });
});

describe("I16: turns that are lost without their messages", () => {
  it("are done again, although the floor had passed them", async () => {
    const broker = createMemoryBroker({ partitions: 1 });
    const client = createTroupe(broker.connect());
    await client.log.register({
      type: "account",
      messages: ["add"],
      topics: [],
      events: [],
      version: "1",
    });
    for (const key of ["a", "b", "c"]) await client.send(account, key).add(1);
    const first = await hosting(broker.connect());
    await vi.waitFor(() => expect(broker.entries()).toHaveLength(6));
    await floorsAreSaved(first.troupe);
    await first.troupe.close();
    broker.goBack(4);
    const { faults, troupe } = await hosting(broker.connect());
    await vi.waitFor(() => expect(broker.entries()).toHaveLength(6));
    expect(faults).toEqual(["floors: log-went-back"]);
    for (const key of ["a", "b", "c"]) expect(await troupe.agent(account, key).add(0)).toBe(1);
    await troupe.close();
    await client.close();
  });
});

it("a snapshot counts although the replica that reads the journal is behind", async () => {
  const broker = createMemoryBroker({ partitions: 1 });
  const first = await hosting(broker.connect());
  await add(first.troupe, 2);
  await vi.waitFor(async () => {
    expect(await first.troupe.log.snapshot({ type: "account", key: "a" })).toBeDefined();
  });
  await first.troupe.close();
  const base = broker.connect();
  let isBehind = true;
  const log = overlay(base, {
    journal: async (...request) => (isBehind ? [] : base.journal(...request)),
  });
  const { faults, troupe } = await hosting(log);
  troupe.inspect((event) => {
    if (event.kind === "agent.activated") isBehind = false;
  });
  expect(await troupe.agent(account, "a").add(1)).toBe(3);
  expect(faults).toEqual([]);
  await troupe.close();
});

it("I16: a turn that is stored after its input was lost hides no input that is accepted later", async () => {
  const before = createMemoryBroker({ partitions: 1 });
  await using old = createTroupe(before.connect());
  await old.work(account, quick);
  await old.agent(account, "a").add(1);
  const [entry] = await before.connect().journal({ type: "account", key: "a" }, 0);
  const record = entry === undefined ? undefined : decodeJournalRecord(entry.record);
  if (record?.kind !== "turn") throw new Error("There is no turn.");
  // The tail with its input is gone when its commit arrives: the journal still ends where it said.
  const broker = createMemoryBroker({ partitions: 1 });
  await broker.connect().commit([
    {
      agent: { type: "account", key: "a" },
      expectedRevision: 0,
      record: encodeRecord({ ...record.turn, inputPosition: 1000 }),
      outgoing: [],
    },
  ]);
  const { troupe } = await hosting(broker.connect());
  expect(await troupe.agent(account, "a", { timeoutMs: 3000 }).add(1)).toBe(2);
  await troupe.close();
});
