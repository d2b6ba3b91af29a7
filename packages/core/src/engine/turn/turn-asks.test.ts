/** Asks inside turns: made once, whatever happens to the runs that make them (STEP-8). */
import { describe, expect, it } from "vitest";
import { z } from "zod";

import type { Troupe } from "@troupe/core";
import type { AgentDefinition } from "@troupe/core/engine";
import type { Log } from "@troupe/core/log";
import { agent, createTroupe, Reject } from "@troupe/core";
import { LogUnavailableError } from "@troupe/core/errors";
import type { MemoryBroker } from "@troupe/testing";
import { createMemoryBroker, overlay } from "@troupe/testing";

const quick = {
  timings: { joinDelayMs: 0, deadAfterMs: 200, heartbeatMs: 50, handoverTimeoutMs: 100 },
  retry: { attemptsMax: 4, delayMs: 1, delayMsMax: 2 },
} as const;

async function work(log: Log, definitions: readonly AgentDefinition[]): Promise<Troupe> {
  const troupe = createTroupe(log);
  await troupe.work(definitions, quick);
  return troupe;
}

function asksTo(broker: MemoryBroker, type: string): number {
  return broker
    .entries()
    .filter((entry) => entry.kind === "input" && entry.input.address.name === type).length;
}

describe("an ask inside a turn", () => {
  it("is not called back by a run that fails: the next one waits for the same answer", async () => {
    let handled = 0;
    const [open, begun] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
    const bank = agent("bank").on("withdraw", z.number(), async (_, n) => {
      handled += 1;
      begun.resolve();
      await open.promise;
      return `withdrew ${n}`;
    });
    let runs = 0;
    const shop = agent("shop").on("buy", z.object({}), async (ctx) => {
      runs += 1;
      const asked = ctx.ask(bank, "b").withdraw(30);
      await begun.promise;
      if (runs === 1) throw new Error("a passing fault");
      open.resolve();
      return asked;
    });
    const broker = createMemoryBroker();
    await using troupe = await work(broker.connect(), [bank, shop]);
    expect(await troupe.agent(shop, "s").buy({})).toBe("withdrew 30");
    expect([handled, asksTo(broker, "bank")]).toEqual([1, 1]);
  });

  it("is asked again when the log refuses it after its run has failed: that the run is over is no answer", async () => {
    const bank = agent("bank").on("withdraw", z.number(), (_, n) => `withdrew ${n}`);
    const [moved, again] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
    let runs = 0;
    const shop = agent("shop").on("buy", z.object({}), async (ctx) => {
      runs += 1;
      const asked = ctx.ask(bank, "b").withdraw(30);
      if (runs > 1) again.resolve();
      else {
        // The journal goes on while the ask is on its way, so that is refused by the fence.
        await ctx.step("look", async () => 1);
        moved.resolve();
        throw new Error("a passing fault");
      }
      return asked;
    });
    const broker = createMemoryBroker();
    const connection = broker.connect();
    let held = false;
    const log = overlay(connection, {
      accept: async (draft, options) => {
        if (draft.address.name === "bank" && !held) {
          held = true;
          await Promise.all([moved.promise, again.promise]);
        }
        return connection.accept(draft, options);
      },
    });
    await using troupe = await work(log, [bank, shop]);
    expect(await troupe.agent(shop, "s").buy({})).toBe("withdrew 30");
    expect(asksTo(broker, "bank")).toBe(1);
    expect(broker.entries().filter(({ kind }) => kind === "dead-letter")).toEqual([]);
  });

  it("is not spoilt by a branch of an earlier run that comes to it late", async () => {
    const bank = agent("bank").on("withdraw", z.number(), (_, n) => `withdrew ${n}`);
    const shop = agent("shop").on("buy", z.object({}), async (ctx) => {
      const both = [ctx.ask(bank, "x").withdraw(1), ctx.ask(bank, "y").withdraw(2)];
      return Promise.all(both);
    });
    // Every message may be older than the window, so both asks are looked for first.
    const broker = createMemoryBroker({ duplicates: { ageMsMax: 0 } });
    const connection = broker.connect();
    const again = Promise.withResolvers<void>();
    let looks = 0;
    const log = overlay(connection, {
      inputsOf: async (...request) => {
        const look = (looks += 1);
        // The first run fails by its first look, and its second one is over when the next run
        // looks.
        if (look === 1) throw new LogUnavailableError("No answer, says the test.");
        if (look === 2) await again.promise;
        if (look === 4) {
          again.resolve();
          await new Promise((resolve) => setImmediate(resolve));
        }
        return connection.inputsOf(...request);
      },
    });
    await using troupe = await work(log, [bank, shop]);
    expect(await troupe.agent(shop, "s").buy({})).toEqual(["withdrew 1", "withdrew 2"]);
    expect(asksTo(broker, "bank")).toBe(2);
  });

  it("is called back when its turn is given up for good", async () => {
    const ended = Promise.withResolvers<string>();
    const begun = Promise.withResolvers<void>();
    const slow = agent("slow").on("work", z.object({}), async (ctx) => {
      begun.resolve();
      await new Promise((resolve) => ctx.signal.addEventListener("abort", resolve));
      ended.resolve("called back");
    });
    const boss = agent("boss").on("go", z.object({}), async (ctx) => {
      void ctx.ask(slow, "s").work({});
      await begun.promise;
      throw new Reject("changed my mind");
    });
    await using troupe = await work(createMemoryBroker().connect(), [slow, boss]);
    await expect(troupe.agent(boss, "b").go({})).rejects.toBeInstanceOf(Reject);
    expect(await ended.promise).toBe("called back");
  });

  it("is made once also when its turn runs again after the log has forgotten its id", async () => {
    // It forgets at once, and takes every input for one that may be older than that.
    const broker = createMemoryBroker({ duplicates: { ageMsMax: 0 } });
    const open = Promise.withResolvers<void>();
    const reached = Promise.withResolvers<void>();
    let handled = 0;
    const bank = agent("bank").on("withdraw", z.number(), async (_, n) => {
      handled += 1;
      reached.resolve();
      await open.promise;
      return n;
    });
    const shop = agent("shop").on("buy", z.object({}), (ctx) => ctx.ask(bank, "b").withdraw(30));
    await using banks = await work(broker.connect(), [bank]);
    const dying = broker.connect();
    await work(dying, [shop]);
    const bought = banks.agent(shop, "s").buy({});
    await reached.promise;
    dying.crash();
    await using _ = await work(broker.connect(), [shop]);
    open.resolve();
    expect(await bought).toBe(30);
    expect([handled, asksTo(broker, "bank")]).toEqual([1, 1]);
  });

  it("of a process that lost its agent is not accepted", async () => {
    const broker = createMemoryBroker({ partitions: 1, duplicates: { idsMax: 0 } });
    const bank = agent("bank").on("withdraw", z.number(), (_, n) => n);
    let paused: PromiseWithResolvers<void> | undefined = Promise.withResolvers<void>();
    const reached = Promise.withResolvers<void>();
    const shop = agent("shop").on("buy", z.object({}), async (ctx) => {
      await ctx.step("look", () => 1);
      return ctx.ask(bank, "b").withdraw(30);
    });
    const log = broker.connect();
    let isSilent = false;
    const outcome = Promise.withResolvers<unknown>();
    // Stands still right before its ask, and does not hear of others.
    const sleepy = overlay(log, {
      accept: async (draft, options) => {
        const waiting = paused;
        paused = undefined;
        if (waiting === undefined) return log.accept(draft, options);
        isSilent = true;
        reached.resolve();
        await waiting.promise;
        const accepted = log.accept(draft, options);
        accepted.then(outcome.resolve, outcome.resolve);
        return accepted;
      },
      announce: (presence) => {
        if (!isSilent) log.announce(presence);
      },
    });
    const waking = paused;
    await using second = await work(broker.connect(), [bank]);
    await using _ = await work(sleepy, [shop]);
    const bought = second.agent(shop, "s").buy({});
    await reached.promise;
    await second.work(shop, quick);
    expect(await bought).toBe(30);
    waking.resolve();
    expect(await outcome.promise).toMatchObject({ code: "revision-conflict" });
    expect(asksTo(broker, "bank")).toBe(1);
  });

  it("twice side by side is two asks, and asked again after a refusal one more", async () => {
    let handled = 0;
    const bank = agent("bank").on("withdraw", z.number(), () => {
      handled += 1;
      if (handled === 3) throw new Reject("empty");
      return handled;
    });
    const shop = agent("shop").on("buy", z.object({}), async (ctx) => {
      const both = await Promise.all([
        ctx.ask(bank, "b").withdraw(1),
        ctx.ask(bank, "b").withdraw(1),
      ]);
      const third = await ctx
        .ask(bank, "b")
        .withdraw(1)
        .catch(() => "refused");
      return [...both.toSorted((a, b) => a - b), third, await ctx.ask(bank, "b").withdraw(1)];
    });
    await using troupe = await work(createMemoryBroker().connect(), [bank, shop]);
    expect(await troupe.agent(shop, "s").buy({})).toEqual([1, 2, "refused", 4]);
  });
});

describe("a message id", () => {
  const a = agent("a").on("n", z.object({ text: z.string() }), (_, { text }) => `a ${text}`);
  const b = agent("b").on("n", z.object({ text: z.string() }), (_, { text }) => `b ${text}`);
  const id = "order-1";

  it("is one of its address: the same id to another agent is another message", async () => {
    const broker = createMemoryBroker();
    await using troupe = await work(broker.connect(), [a, b]);
    const sent = [
      await troupe.agent(a, "x").n({ text: "1" }, { id }),
      await troupe.agent(a, "y").n({ text: "2" }, { id }),
      await troupe.agent(b, "x").n({ text: "3" }, { id }),
    ];
    expect(sent).toEqual(["a 1", "a 2", "b 3"]);
    expect((await troupe.log.input(1))?.metadata.id).toBe(id);
  });

  it("stands for one message: the same again is answered again, another one is refused", async () => {
    const broker = createMemoryBroker();
    await using troupe = await work(broker.connect(), [a, b]);
    const first = await troupe.send(a, "x").n({ text: "1" }, { id });
    const again = await troupe.send(a, "x").n({ text: "1" }, { id });
    expect(again).toEqual({ ...first, duplicate: true });
    expect(await troupe.agent(a, "x").n({ text: "1" }, { id })).toBe("a 1");
    const taken = { code: "id-taken", details: { id, position: first.position } };
    await expect(troupe.send(a, "x").n({ text: "2" }, { id })).rejects.toMatchObject(taken);
    await expect(troupe.agent(a, "x").n({ text: "2" }, { id })).rejects.toMatchObject(taken);
    expect(asksTo(broker, "a")).toBe(1);
  });

  it("is an option of one call, not of all calls", async () => {
    await using troupe = await work(createMemoryBroker().connect(), [a, b]);
    const wrong = { id } as object;
    expect(() => troupe.send(a, "x", wrong)).toThrow(/id/);
    expect(() => troupe.agent(a, "x", wrong)).toThrow(/id/);
  });
});
