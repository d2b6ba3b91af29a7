/** Personal data in base records (BASE-5). */
import { expect, it, vi } from "vitest";
import { z } from "zod";

import type { Troupe } from "@troupe/core";
import { agent, createTroupe, personal } from "@troupe/core";
import { ForeignSubjectsError } from "@troupe/core/errors";
import { decodeJournalRecord } from "@troupe/core/operate";
import { createMemoryBroker, type MemoryBroker } from "@troupe/testing";

const quick = { joinDelayMs: 0 };
const collector = { settleMs: 0, lookMs: 1, agentsPerSecond: 10_000 };
const secret = "Quetzalcoatl";

const customer = agent("customer")
  .retention({ turns: 8 })
  .state({ name: "nobody", count: 0 })
  .event(
    "named",
    personal(z.object({ name: z.string() }), { fields: { name: "(erased)" } }),
    ({ count }, { name }) => ({ name, count: count + 1 }),
  )
  .on("name", z.string(), (ctx, name) => {
    ctx.emit.named({ name });
    return ctx.state;
  })
  .on("look", z.object({}), (ctx) => ctx.state);

const alice = { type: "customer", key: "alice" };

it("are sealed, and opened by whoever goes on from there", async () => {
  const broker = await truncated();
  const records = await broker.connect().journal(alice, 0);
  expect(decodeJournalRecord(records[0]?.record ?? new Uint8Array()).kind).toBe("base");
  for (const { record } of records) expect(Buffer.from(record).includes(secret)).toBe(false);
  await using troupe = createTroupe(broker.connect());
  await troupe.work(customer, { timings: quick, snapshotTurns: Infinity });
  expect(await troupe.agent(customer, "alice").look({})).toEqual({ name: secret, count: 48 });
});

it("are gone with the state once the key is erased, and the agent goes on", async () => {
  const broker = await truncated();
  await using troupe = createTroupe(broker.connect());
  await troupe.work(customer, { timings: quick, snapshotTurns: Infinity });
  expect(await troupe.eraseKey("customer/alice")).toBe(true);
  const { count, name } = await troupe.agent(customer, "alice").look({});
  expect(name).not.toBe(secret);
  // The state began again at the base record; the events after it are folded as erased ones.
  expect(count).toBe(16);
  expect(await troupe.agent(customer, "alice").name("anew")).toEqual({ name: "anew", count: 17 });
});

it("an erased agent begins a new life, which is truncated as any other", async () => {
  const broker = await truncated();
  await using troupe = createTroupe(broker.connect());
  await troupe.work(customer, { timings: quick, collector, snapshotTurns: Infinity });
  await troupe.erase(customer, "alice", { reason: "a test" });
  for (let each = 1; each <= 100; each++) {
    const state = await troupe.agent(customer, "alice").name(`life ${each}`);
    expect(state).toEqual({ name: `life ${each}`, count: each });
  }
  await begins(troupe, 49);
});

it("of others are refused together with a retention, by name", async () => {
  const about = personal(z.object({ who: z.string(), text: z.string() }), {
    fields: { text: "" },
    subject: ({ who }) => who,
  });
  const diary = agent("diary")
    .state({ texts: 0 })
    .event("wrote", about, (state) => state);
  await using troupe = createTroupe(createMemoryBroker().connect());
  const kept = diary.retention({ turns: 10 });
  await expect(troupe.work(kept)).rejects.toThrow(ForeignSubjectsError);
  await troupe.work(diary, { timings: quick });
});

/** Forty-eight turns, of which the last ones are kept. */
async function truncated(): Promise<MemoryBroker> {
  const broker = createMemoryBroker();
  await using troupe = createTroupe(broker.connect());
  await troupe.work(customer, { timings: quick, collector, snapshotTurns: Infinity });
  for (let each = 0; each < 48; each++) await troupe.agent(customer, "alice").name(secret);
  await begins(troupe, 1);
  return broker;
}

async function begins(troupe: Troupe, after: number): Promise<void> {
  await vi.waitFor(async () => {
    const [first] = await Array.fromAsync(troupe.turns("customer", "alice"));
    expect(first?.record.turn).toBeGreaterThan(after);
  }, 5000);
}
