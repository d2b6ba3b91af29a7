import { describe, expect, it } from "vitest";
import { z } from "zod";

import type { InspectionEvent, Limit, Troupe, WorkerOptions } from "@troupe/core";
import type { AgentDefinition } from "@troupe/core/engine";
import type { Log } from "@troupe/core/log";
import { agent, createTroupe, limit } from "@troupe/core";
import { createMemoryBroker } from "@troupe/testing";

const quick = { timings: { joinDelayMs: 0 }, retry: { delayMs: 1 } } as const;

/** A service that counts who is with it, and lets everybody go on when told. */
class Service {
  atWork = 0;
  atWorkMax = 0;
  calls = 0;
  #gates: (() => void)[] = [];
  #open = false;
  #reached: { readonly calls: number; readonly resolve: () => void }[] = [];

  async call(): Promise<number> {
    this.calls += 1;
    this.atWork += 1;
    this.atWorkMax = Math.max(this.atWorkMax, this.atWork);
    for (const { calls, resolve } of this.#reached) if (this.calls >= calls) resolve();
    // Long enough for others to come in between.
    if (this.#open) await new Promise((resolve) => setImmediate(resolve));
    else await new Promise<void>((resolve) => this.#gates.push(resolve));
    this.atWork -= 1;
    return this.calls;
  }

  /** Resolves when so many calls came. */
  has(calls: number): Promise<void> {
    if (this.calls >= calls) return Promise.resolve();
    return new Promise((resolve) => this.#reached.push({ calls, resolve }));
  }

  open(): void {
    this.#open = true;
    for (const gate of this.#gates) gate();
  }
}

function caller(service: Service, gpt: Limit, type = "caller") {
  return agent(type)
    .on("call", z.object({}), (ctx) => ctx.step("model", () => service.call(), { limit: gpt }))
    .on("think", z.object({}), async () => "thought");
}

async function work(
  log: Log,
  definitions: AgentDefinition | readonly AgentDefinition[],
  options: WorkerOptions = {},
): Promise<{ readonly troupe: Troupe; readonly events: InspectionEvent[] } & AsyncDisposable> {
  const troupe = createTroupe(log);
  const events: InspectionEvent[] = [];
  troupe.inspect((event) => events.push(event));
  await troupe.work(definitions, { ...quick, ...options });
  return { troupe, events, [Symbol.asyncDispose]: () => troupe.close() };
}

function heard(events: readonly InspectionEvent[], kind: InspectionEvent["kind"]) {
  return events.filter((event) => event.kind === kind);
}

describe("a step under a limit", () => {
  it("is at work at most as often as the limit says, over all workers", async () => {
    const broker = createMemoryBroker();
    const service = new Service();
    service.open();
    const calls = caller(service, limit("gpt", { concurrency: 2 }));
    await using first = await work(broker.connect(), calls);
    await using second = await work(broker.connect(), calls);
    const asks = Array.from({ length: 40 }, (_, i) => {
      return (i % 2 === 0 ? first : second).troupe.agent(calls, `key-${i}`).call({});
    });
    expect(await Promise.all(asks)).toHaveLength(40);
    expect(service.calls).toBe(40);
    expect(service.atWorkMax).toBeLessThanOrEqual(2);
  });

  it("tells who waits for what since when, and when it goes on; and leaves its place meanwhile (I7)", async () => {
    const service = new Service();
    const calls = caller(service, limit("gpt", { concurrency: 1 }));
    await using host = await work(createMemoryBroker().connect(), calls, { handlersMax: 2 });
    const { events, troupe } = host;
    const asks = ["a", "b", "c"].map((key) => troupe.agent(calls, key).call({}));
    await service.has(1);
    // One is at work, two wait; only the first of them has a place.
    expect(await troupe.agent(calls, "d").think({})).toBe("thought");
    const [waiting] = heard(events, "limit.waiting");
    expect(waiting).toMatchObject({ limits: ["gpt"], step: "model", agent: { type: "caller" } });
    expect(Math.abs(Date.now() - (waiting as { readonly sinceMs: number }).sinceMs)).toBeLessThan(
      60_000,
    );
    expect(heard(events, "limit.granted").length).toBeLessThanOrEqual(1);
    service.open();
    await Promise.all(asks);
    expect(heard(events, "limit.granted")).toHaveLength(heard(events, "limit.waiting").length);
    expect(service.atWorkMax).toBe(1);
  });

  it("that is recorded takes nothing of it when its handler runs again (I6)", async () => {
    const service = new Service();
    service.open();
    const gpt = limit("gpt", { concurrency: 1 });
    const other = new Service();
    const others = caller(other, gpt, "other");
    const attempts: number[] = [];
    const failsOnce = agent("failing").on("go", z.object({}), async (ctx) => {
      const result = await ctx.step("model", () => service.call(), { limit: gpt });
      attempts.push(ctx.message.attempt);
      if (attempts.length > 1) return result;
      // From now on the only permit is taken.
      void host.troupe
        .agent(others, "a")
        .call({})
        .catch(() => undefined);
      await other.has(1);
      throw new Error("after the step");
    });
    await using host = await work(createMemoryBroker().connect(), [failsOnce, others]);
    expect(await host.troupe.agent(failsOnce, "a").go({})).toBe(1);
    expect(attempts).toEqual([1, 2]);
    expect(other.atWork).toBe(1);
    other.open();
  });

  it("waits no longer than its turn may take, and is not in the way afterwards", async () => {
    const service = new Service();
    const gpt = limit("gpt", { concurrency: 1 });
    const calls = caller(service, gpt);
    const hasty = agent("hasty").on(
      "call",
      z.object({}),
      (ctx) => ctx.step("model", () => service.call(), { limit: gpt }),
      { retry: { attemptsMax: 1, timeoutMs: 30 } },
    );
    await using host = await work(createMemoryBroker().connect(), [calls, hasty]);
    const first = host.troupe.agent(calls, "a").call({});
    await service.has(1);
    await expect(host.troupe.agent(hasty, "b").call({})).rejects.toMatchObject({
      remote: { code: "turn-timeout" },
    });
    expect(heard(host.events, "limit.abandoned")).toHaveLength(1);
    service.open();
    await first;
    expect(await host.troupe.agent(calls, "c").call({})).toBe(2);
  });

  it("holds its permit until its effect is over, also when the turn is given up", async () => {
    const service = new Service();
    const gpt = limit("gpt", { concurrency: 1 });
    const hasty = agent("hasty").on(
      "call",
      z.object({}),
      (ctx) => ctx.step("model", () => service.call(), { limit: gpt }),
      { retry: { attemptsMax: 1, timeoutMs: 30 } },
    );
    const calls = caller(service, gpt);
    await using host = await work(createMemoryBroker().connect(), [calls, hasty]);
    await expect(host.troupe.agent(hasty, "b").call({})).rejects.toMatchObject({
      remote: { code: "turn-timeout" },
    });
    const next = host.troupe.agent(calls, "a").call({});
    expect(await host.troupe.agent(calls, "b").think({})).toBe("thought");
    expect(service.calls).toBe(1);
    service.open();
    expect(await next).toBe(2);
    expect(service.atWorkMax).toBe(1);
  });

  it("gives its permit back when the effect throws, at once or later", async () => {
    const gpt = limit("gpt", { concurrency: 1 });
    const throwing = agent("throwing").on("go", z.boolean(), (ctx, atOnce) =>
      ctx.step(
        "model",
        () => {
          if (atOnce) throw new Error("at once");
          return Promise.reject(new Error("later"));
        },
        { limit: gpt },
      ),
    );
    await using host = await work(createMemoryBroker().connect(), throwing, {
      retry: { attemptsMax: 2, delayMs: 1 },
    });
    await expect(host.troupe.agent(throwing, "a").go(true)).rejects.toThrow("at once");
    await expect(host.troupe.agent(throwing, "a").go(false)).rejects.toThrow("later");
  });

  it("with a cost that its rate never allows is refused by name", async () => {
    const tokens = limit("tokens", { rate: { count: 1000, perMs: 1000 } });
    const greedy = agent("greedy").on("go", z.number(), (ctx, cost) =>
      ctx.step("model", async () => "done", { limit: tokens, cost }),
    );
    await using host = await work(createMemoryBroker().connect(), greedy);
    expect(await host.troupe.agent(greedy, "a").go(1000)).toBe("done");
    await expect(host.troupe.agent(greedy, "a").go(1001)).rejects.toMatchObject({
      remote: { code: "invalid-limit" },
    });
  });
});

describe("places of one agent type", () => {
  it("are as many as the worker says, and leave the others theirs", async () => {
    const [slow, quickOnes] = [new Service(), new Service()];
    quickOnes.open();
    const hungry = agent("hungry").on("eat", z.object({}), () => slow.call());
    const modest = agent("modest").on("eat", z.object({}), () => quickOnes.call());
    const options = { handlersMax: 4, handlersMaxByType: { hungry: 3 } };
    await using host = await work(createMemoryBroker().connect(), [hungry, modest], options);
    const eating = Array.from({ length: 20 }, (_, i) => {
      return host.troupe.agent(hungry, `key-${i}`).eat({});
    });
    await slow.has(3);
    for (let i = 0; i < 20; i++) await host.troupe.agent(modest, `key-${i}`).eat({});
    expect(slow.calls).toBe(3);
    slow.open();
    await Promise.all(eating);
    expect([slow.atWorkMax, quickOnes.calls]).toEqual([3, 20]);
  });

  it("of a type that is not hosted, or fewer than one, are refused by name", async () => {
    const idle = agent("idle").on("go", z.object({}), () => null);
    for (const handlersMaxByType of [{ idel: 1 }, { idle: 0 }]) {
      await using troupe = createTroupe(createMemoryBroker().connect());
      await expect(troupe.work(idle, { ...quick, handlersMaxByType })).rejects.toMatchObject({
        code: "definition",
      });
    }
  });
});
