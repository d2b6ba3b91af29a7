import { describe, expect, it, vi } from "vitest";
import { z } from "zod";

import type { InspectionEvent, Troupe } from "@troupe/core";
import type { AgentDefinition } from "@troupe/core/engine";
import type { Log } from "@troupe/core/log";
import { agent, createTroupe, Reject } from "@troupe/core";
import { createMemoryBroker } from "@troupe/testing";

const quick = { timings: { joinDelayMs: 0 }, retry: { delayMs: 1 } } as const;

/** Charges through a step, and counts how often the effect really ran. */
function shop(charge: (key: string) => Promise<unknown>, after: () => void = () => undefined) {
  return agent("shop")
    .state({ paid: 0 })
    .event("paid", z.object({ receipt: z.unknown() }), ({ paid }) => ({ paid: paid + 1 }))
    .on("buy", z.object({}), async (ctx) => {
      const receipt = await ctx.step("charge", ({ idempotencyKey }) => charge(idempotencyKey));
      after();
      ctx.emit.paid({ receipt });
      return receipt;
    });
}

async function work(log: Log, definition: AgentDefinition): Promise<Troupe> {
  const troupe = createTroupe(log);
  await troupe.work(definition, quick);
  return troupe;
}

describe("a step", () => {
  it("returns its recorded result when the handler runs again (I6)", async () => {
    const charge = vi.fn<(key: string) => Promise<unknown>>(async (key) => ({ receipt: 1, key }));
    let failures = 2;
    const definition = shop(charge, () => {
      if (failures-- > 0) throw new Error("after the charge");
    });
    await using troupe = await work(createMemoryBroker().connect(), definition);
    const receipt = await troupe.agent(definition, "a").buy({});
    expect(receipt).toEqual({ receipt: 1, key: expect.stringMatching(/^shop@\d+\.[\w-]{32}$/) });
    expect(charge).toHaveBeenCalledTimes(1);
  });

  it("returns its recorded result to the worker that takes over after a crash (I6)", async () => {
    const broker = createMemoryBroker();
    const charge = vi.fn<() => Promise<string>>(async () => "paid");
    const reached = Promise.withResolvers<void>();
    const stuck = shop(charge, () => reached.resolve());
    const dying = agent("shop")
      .state({ paid: 0 })
      .event("paid", z.object({ receipt: z.unknown() }), ({ paid }) => ({ paid: paid + 1 }))
      .on("buy", z.object({}), async (ctx): Promise<unknown> => {
        await ctx.step("charge", charge);
        reached.resolve();
        return new Promise(() => undefined);
      });
    const crashing = broker.connect();
    await work(crashing, dying);
    await using asker = createTroupe(broker.connect());
    const receipt = asker.agent(stuck, "a").buy({});
    await reached.promise;
    crashing.crash();
    await using successor = await work(broker.connect(), stuck);
    expect(await receipt).toBe("paid");
    expect(charge).toHaveBeenCalledTimes(1);
    expect(await stepsOf(successor)).toEqual([["charge"]]);
  });

  it("runs again without its record: the check above can fail", async () => {
    const charge = vi.fn<() => Promise<string>>(async () => "paid");
    let failures = 1;
    const definition = shop(charge, () => {
      if (failures-- > 0) throw new Error("after the charge");
    });
    const unrecorded = agent("shop").on("buy", z.object({}), async () => {
      const receipt = await charge();
      if (failures-- > 0) throw new Error("after the charge");
      return receipt;
    });
    await using troupe = await work(createMemoryBroker().connect(), unrecorded);
    await troupe.agent(definition, "a").buy({});
    expect(charge).toHaveBeenCalledTimes(2);
  });

  it("shares a round trip with all others that are done at the same time", async () => {
    const commits = vi.fn<() => void>();
    const many = agent("many").on("go", z.number(), async (ctx, count) => {
      const steps = Array.from({ length: count }, (_, i) =>
        ctx.step("square", i, async (n) => n * n),
      );
      return (await Promise.all(steps)).reduce((sum, value) => sum + value, 0);
    });
    const log = counting(createMemoryBroker().connect(), commits);
    await using troupe = await work(log, many);
    expect(await troupe.agent(many, "a").go(100)).toBe(328_350);
    expect(commits.mock.calls.length).toBeLessThan(5);
  });

  it("does not take the clock, chance and ids: these are recorded with the turn, without a round trip", async () => {
    const commits = vi.fn<() => void>();
    const clock = agent("clock").on("read", z.object({}), (ctx) => ({
      now: ctx.now(),
      random: ctx.random(),
      id: ctx.id(),
    }));
    const log = counting(createMemoryBroker().connect(), commits);
    await using troupe = await work(log, clock);
    const reply = await troupe.agent(clock, "a").read({});
    expect(reply.id).toMatch(/^[\da-f]{8}-[\da-f]{4}-4[\da-f]{3}-[89ab][\da-f]{3}-[\da-f]{12}$/);
    expect(commits).toHaveBeenCalledTimes(1);
    for await (const { steps } of troupe.turns("clock", "a")) {
      expect(steps.map(({ name, value }) => [name, value])).toEqual([
        ["~now", reply.now],
        ["~random", reply.random],
        ["~id", reply.id],
      ]);
    }
  });

  it("gives the clock, chance and ids of the first run to every later one", async () => {
    const seen: unknown[] = [];
    const oracle = agent("oracle").on("ask", z.object({}), async (ctx) => {
      seen.push([ctx.now(), ctx.random(), ctx.id(), ctx.id()]);
      await ctx.step("effect", async () => null);
      if (seen.length < 3) throw new Error("again");
      return null;
    });
    await using troupe = await work(createMemoryBroker().connect(), oracle);
    await troupe.agent(oracle, "a").ask({});
    expect(seen).toHaveLength(3);
    expect(seen[1]).toEqual(seen[0]);
    expect(seen[2]).toEqual(seen[0]);
  });

  it("whose result cannot be stored fails the turn by name, and the next message is handled", async () => {
    const odd = agent("odd").on("go", z.boolean(), async (ctx, bad) => {
      const circular: { self?: unknown } = {};
      circular.self = circular;
      return (await ctx.step("make", async () => (bad ? circular : "fine"))) === "fine";
    });
    await using troupe = await work(createMemoryBroker().connect(), odd);
    await expect(troupe.agent(odd, "a").go(true)).rejects.toThrow(/self holds itself/);
    expect(await troupe.agent(odd, "a").go(false)).toBe(true);
  });

  it("that takes too long is tried again under the same key", async () => {
    const keys: string[] = [];
    const slow = agent("slow").on("go", z.object({}), async (ctx) =>
      ctx.step(
        "call",
        async ({ idempotencyKey }) => {
          keys.push(idempotencyKey);
          return keys.length < 3 ? new Promise<string>(() => undefined) : "done";
        },
        { timeoutMs: 5 },
      ),
    );
    await using troupe = await work(createMemoryBroker().connect(), slow);
    expect(await troupe.agent(slow, "a").go({})).toBe("done");
    expect(new Set(keys).size).toBe(1);
    expect(keys).toHaveLength(3);
  });

  it("is not done by a handler that was given up", async () => {
    const broker = createMemoryBroker();
    const effect = vi.fn<() => Promise<null>>(async () => null);
    const entered = Promise.withResolvers<void>();
    const proceed = Promise.withResolvers<void>();
    const outcome = Promise.withResolvers<unknown>();
    const pausing = agent("pausing").on("go", z.object({}), async (ctx) => {
      if (effect.mock.calls.length > 0) return "second";
      await ctx.step("first", effect);
      entered.resolve();
      await proceed.promise;
      await ctx.step("second", effect).catch(outcome.resolve);
      return "first";
    });
    await using troupe = await work(broker.connect(), pausing);
    const reply = troupe.agent(pausing, "a").go({});
    await entered.promise;
    // Somebody else writes to the journal behind this worker's back.
    broker.failNextCommit("conflict");
    proceed.resolve();
    expect(await outcome.promise).toMatchObject({ code: "turn-ended" });
    expect(await reply).toBe("second");
  });

  it("of a turn that is rejected stays in the history", async () => {
    const strict = agent("strict").on("go", z.object({}), async (ctx) => {
      await ctx.step("check", async () => "no");
      throw new Reject("checked");
    });
    await using troupe = await work(createMemoryBroker().connect(), strict);
    await expect(troupe.agent(strict, "a").go({})).rejects.toBeInstanceOf(Reject);
    for await (const { record, steps } of troupe.turns("strict", "a")) {
      expect(record.failure?.code).toBe("rejected");
      expect(steps.map(({ name }) => name)).toEqual(["check"]);
    }
  });
});

describe("an ask inside a turn", () => {
  it("is answered from the journal when the handler runs again (I6)", async () => {
    const answered = vi.fn<() => number>(() => 7);
    const oracle = agent("oracle").on("ask", z.object({}), answered);
    let failures = 1;
    const asker = agent("asker").on("go", z.object({}), async (ctx) => {
      const answer = await ctx.ask(oracle, "o").ask({});
      if (failures-- > 0) throw new Error("after the answer");
      return answer;
    });
    const events: InspectionEvent[] = [];
    await using troupe = createTroupe(createMemoryBroker().connect());
    troupe.inspect((event) => void events.push(event));
    await troupe.work([oracle, asker], quick);
    expect(await troupe.agent(asker, "a").go({})).toBe(7);
    expect(answered).toHaveBeenCalledTimes(1);
    const asks = events.filter(
      (event) => event.kind === "message.sent" && event.to === "agent/oracle/o",
    );
    expect(asks).toHaveLength(1);
  });
});

async function stepsOf(troupe: Troupe): Promise<readonly (readonly string[])[]> {
  const names: (readonly string[])[] = [];
  for await (const { steps } of troupe.turns("shop", "a"))
    names.push(steps.map(({ name }) => name));
  return names;
}

function counting(log: Log, commits: () => void): Log {
  return new Proxy(log, {
    get(target, name) {
      const value = Reflect.get(target, name) as unknown;
      if (typeof value !== "function") return value;
      return (...args: unknown[]): unknown => {
        if (name === "commit") commits();
        return Reflect.apply(value, target, args);
      };
    },
  });
}
