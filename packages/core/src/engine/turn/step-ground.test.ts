/** Conditions for an effect to happen, and for it to count as done (I6, I13). */
import { describe, expect, it, vi } from "vitest";
import { z } from "zod";

import type { InspectionEvent, Troupe } from "@troupe/core";
import type { AgentDefinition } from "@troupe/core/engine";
import type { Log } from "@troupe/core/log";
import { agent, agentNamed, createTroupe, Reject, topic } from "@troupe/core";
import { createMemoryBroker, overlay } from "@troupe/testing";

const quick = {
  timings: { joinDelayMs: 0, deadAfterMs: 200, heartbeatMs: 50, handoverTimeoutMs: 100 },
  retry: { attemptsMax: 3, delayMs: 1, delayMsMax: 2 },
} as const;
const patience = { timeout: 10_000 };

async function work(log: Log, definition: AgentDefinition): Promise<Troupe> {
  const troupe = createTroupe(log);
  await troupe.work(definition, quick);
  return troupe;
}

describe("an effect", () => {
  it("does not run on a state that is not committed (STEP-6)", async () => {
    const paid: number[] = [];
    let isOpen = true;
    const account = agent("account")
      .state({ balance: 0 })
      .event("in", z.number(), (state, n) => ({ balance: state.balance + n }))
      .event("out", z.number(), (state, n) => ({ balance: state.balance - n }))
      .on("warm", z.object({}), () => 0)
      .on("deposit", z.number(), (ctx, n) => {
        if (!isOpen) throw new Reject("closed");
        ctx.emit.in(n);
      })
      .on("payOut", z.object({}), async (ctx) => {
        const amount = ctx.state.balance;
        isOpen = false;
        if (amount > 0) await ctx.step("transfer", { amount }, () => void paid.push(amount));
        ctx.emit.out(amount);
        return amount;
      });
    const broker = createMemoryBroker({ partitions: 1 });
    await using troupe = await work(broker.connect(), account);
    await troupe.agent(account, "a").warm({});
    broker.failNextCommit("unavailable");
    const sent = troupe.send(account, "a").deposit(100);
    const reply = await troupe.agent(account, "a").payOut({});
    await sent;
    expect(reply).toBe(0);
    expect(paid).toEqual([]);
  });

  it("is not asked of another agent on a state that is not committed (STEP-6)", async () => {
    const asked: number[] = [];
    let isOpen = true;
    const bank = agent("bank").on("transfer", z.number(), (_, amount) => void asked.push(amount));
    const account = agent("account")
      .state({ balance: 0 })
      .event("in", z.number(), (state, n) => ({ balance: state.balance + n }))
      .on("warm", z.object({}), () => 0)
      .on("deposit", z.number(), (ctx, n) => {
        if (!isOpen) throw new Reject("closed");
        ctx.emit.in(n);
      })
      .on("payOut", z.object({}), async (ctx) => {
        isOpen = false;
        if (ctx.state.balance > 0) await ctx.ask(bank, "b").transfer(ctx.state.balance);
      });
    const broker = createMemoryBroker({ partitions: 1 });
    await using troupe = createTroupe(broker.connect());
    await troupe.work([account, bank], quick);
    await troupe.agent(account, "a").warm({});
    broker.failNextCommit("unavailable");
    const sent = troupe.send(account, "a").deposit(100);
    await troupe.agent(account, "a").payOut({});
    await sent;
    expect(asked).toEqual([]);
  });

  it("that is recorded does not run again for a new owner whose replica is behind (STEP-6)", async () => {
    let [charges, runs] = [0, 0];
    const reached = Promise.withResolvers<void>();
    const shop = agent("shop").on("buy", z.object({}), async (ctx) => {
      runs += 1;
      await ctx.step("charge", () => ++charges);
      if (runs === 1) {
        reached.resolve();
        await new Promise(() => undefined);
      }
      return charges;
    });
    const broker = createMemoryBroker({ partitions: 1 });
    const dying = broker.connect();
    await work(dying, shop);
    await using client = createTroupe(broker.connect());
    const bought = client.agent(shop, "a").buy({});
    await reached.promise;
    dying.crash();
    const log = broker.connect();
    let stale = 2;
    const behind = overlay(log, {
      journal: async (...request) => (stale-- > 0 ? [] : log.journal(...request)),
    });
    await using _ = await work(behind, shop);
    expect(await bought).toBe(1);
    expect(charges).toBe(1);
  });

  it("with a synchronous function is recorded before it is done (STEP-2)", async () => {
    let charges = 0;
    const reached = Promise.withResolvers<void>();
    const shop = agent("shop").on("buy", z.object({}), async (ctx) => {
      const count = await ctx.step("charge", () => ++charges);
      if (!isSecond) {
        reached.resolve();
        await new Promise(() => undefined);
      }
      return count;
    });
    let isSecond = false;
    const broker = createMemoryBroker({ partitions: 1 });
    const dying = broker.connect();
    await work(dying, shop);
    await using client = createTroupe(broker.connect());
    const bought = client.agent(shop, "a").buy({});
    await reached.promise;
    dying.crash();
    isSecond = true;
    await using _ = await work(broker.connect(), shop);
    expect(await bought).toBe(1);
  });

  it("is known by what was drawn before it also after a crash in its middle (STEP-3)", async () => {
    const keys = new Set<string>();
    const reached = Promise.withResolvers<void>();
    const shop = agent("shop").on("buy", z.object({}), async (ctx) => {
      // The ground is firm, so that nothing else is stored before the effect.
      await ctx.step("look", () => 1);
      const order = ctx.id();
      return ctx.step("charge", { order }, async (_, { idempotencyKey }) => {
        const first = keys.size === 0;
        keys.add(idempotencyKey);
        reached.resolve();
        return first ? new Promise<string>(() => undefined) : order;
      });
    });
    const broker = createMemoryBroker({ partitions: 1 });
    const dying = broker.connect();
    await work(dying, shop);
    await using client = createTroupe(broker.connect());
    const bought = client.agent(shop, "a").buy({});
    await reached.promise;
    dying.crash();
    await using _ = await work(broker.connect(), shop);
    await bought;
    expect(keys.size).toBe(1);
  });

  it("that returns a lazy promise runs, and its value is recorded", async () => {
    // oxlint-disable-next-line unicorn/no-thenable -- as query builders are.
    const query = { ran: 0, then: (resolve: (rows: number) => void) => resolve(++query.ran) };
    const lazy = query as unknown as PromiseLike<number>;
    const shop = agent("shop").on("buy", z.object({}), (ctx) => ctx.step("query", () => lazy));
    await using troupe = await work(createMemoryBroker().connect(), shop);
    expect(await troupe.agent(shop, "a").buy({})).toBe(1);
    expect(query.ran).toBe(1);
  });

  it("gives a copy of its result, so that changing it changes no later run", async () => {
    let runs = 0;
    const seen: unknown[] = [];
    const shop = agent("shop").on("buy", z.object({}), async (ctx) => {
      runs += 1;
      const items = await ctx.step("read", () => [1]);
      seen.push([...items]);
      items.push(2);
      if (runs < 3) throw new Error("again");
    });
    await using troupe = await work(createMemoryBroker().connect(), shop);
    await troupe.agent(shop, "a").buy({});
    expect(seen).toEqual([[1], [1], [1]]);
  });
});

const news = topic("news", z.string());

describe("the function of a step", () => {
  const misuses = {
    emit: (ctx) => ctx.emit.noted({}),
    send: (ctx) => ctx.send(agentNamed("other"), "x")["hear"]?.({}),
    publish: (ctx) => ctx.publish(news, "x", "text"),
    ask: (ctx) => ctx.ask(agentNamed("other"), "x")["hear"]?.({}),
    step: (ctx) => ctx.step("inner", () => 1),
    now: (ctx) => ctx.now(),
    id: (ctx) => ctx.id(),
    after: (ctx) => ctx.after(1000).go("again"),
    cancel: (ctx) => ctx.cancel("timer"),
  } satisfies Record<string, (ctx: Misused) => unknown>;

  it.each(Object.keys(misuses) as (keyof typeof misuses)[])(
    "cannot use the turn's context: %s",
    async (use) => {
      const effect = vi.fn<() => void>();
      const shop = noting(async (ctx) => {
        await ctx.step("charge", async () => {
          await Promise.resolve();
          await misuses[use](ctx);
          effect();
        });
      });
      await using troupe = await work(createMemoryBroker().connect(), shop);
      await expect(troupe.agent(shop, "a").go("now")).rejects.toMatchObject({
        remote: { code: "context-in-step" },
      });
      expect(effect).not.toHaveBeenCalled();
    },
  );

  it("leaves the context to the branches beside it", async () => {
    const open = Promise.withResolvers<string>();
    const shop = noting(async (ctx) => {
      const slow = ctx.step("slow", () => open.promise);
      await Promise.resolve();
      ctx.emit.noted({});
      ctx.send(agentNamed("noting"), "b")["other"]?.({});
      await ctx.step("quick", () => 1);
      open.resolve("done");
      await slow;
      ctx.emit.noted({});
    });
    await using troupe = await work(createMemoryBroker().connect(), shop);
    await troupe.agent(shop, "a").go("now");
    for await (const { record } of troupe.turns("noting", "a")) {
      expect([record.events.length, record.sent.length]).toEqual([2, 1]);
    }
  });
});

/** Hears `go`, and does as the test says. */
function noting(act: (ctx: Misused) => Promise<void>) {
  return definition.on("go", z.string(), (ctx) => act(ctx));
}

const definition = agent("noting")
  .state({ notes: 0 })
  .event("noted", z.object({}), ({ notes }) => ({ notes: notes + 1 }))
  .on("other", z.object({}), () => null);
type Misused = Parameters<Parameters<typeof definition.on<"go", z.ZodString, void>>[2]>[0];

describe("who does not await", () => {
  it("a step does not end the process, and is told its name (STEP-7)", async () => {
    const shop = agent("shop").on("buy", z.object({}), async (ctx) => {
      void ctx.step("left", () => new Promise(() => undefined));
      void ctx.step("failing", async () => {
        throw new Error("unheard");
      });
      return "bought";
    });
    const faults: (InspectionEvent & { kind: "fault" })[] = [];
    await using troupe = createTroupe(createMemoryBroker().connect(), {
      onFault: (fault) => void faults.push(fault),
    });
    await troupe.work(shop, quick);
    expect(await troupe.agent(shop, "a").buy({})).toBe("bought");
    await vi.waitFor(() => {
      expect(faults.map(({ what }) => what)).toContain("step left of shop/a");
    }, patience);
    expect(faults[0]?.failure.code).toBe("turn-ended");
  });

  it("one of two asks does not end the process", async () => {
    const oracle = agent("oracle")
      .on("yes", z.object({}), () => "yes")
      .on("no", z.object({}), () => {
        throw new Reject("no");
      });
    const asker = agent("asker").on("go", z.object({}), async (ctx) => {
      void ctx.ask(oracle, "o").no({});
      return ctx.ask(oracle, "p").yes({});
    });
    await using troupe = createTroupe(createMemoryBroker().connect());
    await troupe.work([oracle, asker], quick);
    expect(await troupe.agent(asker, "a").go({})).toBe("yes");
  });
});
