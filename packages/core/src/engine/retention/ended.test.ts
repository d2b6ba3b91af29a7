import { describe, expect, it, vi } from "vitest";
import { z } from "zod";

import { agent, createTroupe } from "@troupe/core";
import { DefinitionError } from "@troupe/core/errors";
import { decodeJournalRecord, replay } from "@troupe/core/operate";
import { createMemoryBroker } from "@troupe/testing";

const quick = { joinDelayMs: 0 };
const collector = { settleMs: 0, lookMs: 1, agentsPerSecond: 10_000, sweepMs: 1 };

const order = agent("order")
  .retention({ after: "ended" })
  .state({ items: [] as readonly string[] })
  .event("added", z.string(), ({ items }, item) => ({ items: [...items, item] }))
  .on("add", z.string(), (ctx, item) => {
    ctx.emit.added(item);
    return ctx.state.items;
  })
  .on("ship", z.object({ later: z.enum(["begin-again", "refuse"]) }), (ctx, { later }) => {
    ctx.end({ later });
    return ctx.state.items;
  });

const first = { type: "order", key: "1" };

describe("ctx.end()", () => {
  it("ends the agent with the turn, and a later message makes it begin again", async () => {
    const broker = createMemoryBroker();
    await using troupe = createTroupe(broker.connect());
    await troupe.work(order, { timings: quick, collector: { ...collector, settleMs: 1e9 } });
    const one = troupe.agent(order, "1");
    await one.add("a");
    expect(await one.ship({ later: "begin-again" })).toEqual(["a"]);
    expect(await one.add("b")).toEqual(["b"]);
    const turns = await Array.fromAsync(replay(troupe.log, order, "1"));
    expect(turns.map(({ record, state }) => [record.turn, state.items])).toEqual([
      [1, ["a"]],
      [2, ["a"]],
      [3, ["b"]],
    ]);
    // Another process comes to the same, from the journal alone.
    await using other = createTroupe(broker.connect());
    await troupe.close();
    await other.work(order, { timings: quick, collector });
    expect(await other.agent(order, "1").add("c")).toEqual(["b", "c"]);
  });

  it("refuses what comes later when it was told to, also in another process", async () => {
    const broker = createMemoryBroker();
    await using troupe = createTroupe(broker.connect());
    await troupe.work(order, { timings: quick, collector });
    await troupe.agent(order, "1").add("a");
    await troupe.agent(order, "1").ship({ later: "refuse" });
    const refused = { remote: { code: "agent-ended" } };
    await expect(troupe.agent(order, "1").add("b")).rejects.toMatchObject(refused);
    await troupe.close();
    await using other = createTroupe(broker.connect());
    await other.work(order, { timings: quick, collector });
    await expect(other.agent(order, "1").add("c")).rejects.toMatchObject(refused);
  });

  it("lets its history go at once, but for the record that says so", async () => {
    const broker = createMemoryBroker();
    await using troupe = createTroupe(broker.connect());
    await troupe.work(order, { timings: quick, collector });
    for (const item of ["a", "b", "c"]) await troupe.agent(order, "1").add(item);
    await troupe.agent(order, "2").add("stays");
    await troupe.agent(order, "1").ship({ later: "begin-again" });
    await vi.waitFor(async () => {
      const records = await troupe.log.journal(first, 0);
      expect(records.map(({ record }) => decodeJournalRecord(record).kind)).toEqual(["base"]);
    }, 5000);
    await vi.waitFor(
      async () => expect(await troupe.log.inputsOf(first, [], 0, 1e9)).toEqual([]),
      5000,
    );
    expect((await troupe.log.journal({ type: "order", key: "2" }, 0)).length).toBe(1);
    expect(await troupe.agent(order, "1").add("d")).toEqual(["d"]);
  });

  it("is stored with its turn or not at all (I3)", async () => {
    const broker = createMemoryBroker();
    await using troupe = createTroupe(broker.connect());
    await troupe.work(order, { timings: quick, collector });
    await troupe.agent(order, "1").add("a");
    broker.failNextCommit("lost-ack");
    expect(await troupe.agent(order, "1").ship({ later: "begin-again" })).toEqual(["a"]);
    broker.failNextCommit("unavailable");
    expect(await troupe.agent(order, "1").add("b")).toEqual(["b"]);
    broker.failNextCommit("conflict");
    expect(await troupe.agent(order, "1").ship({ later: "begin-again" })).toEqual(["b"]);
    expect(await troupe.agent(order, "1").add("c")).toEqual(["c"]);
  });

  it("is refused with an option that does not exist", async () => {
    const odd = agent("odd").on("end", z.void(), (ctx) => ctx.end({ later: "stop" as never }));
    await using troupe = createTroupe(createMemoryBroker().connect());
    await troupe.work(odd, { timings: quick, retry: { attemptsMax: 1 } });
    await expect(troupe.agent(odd, "1").end()).rejects.toMatchObject({
      remote: { code: new DefinitionError("").code },
    });
  });
});
