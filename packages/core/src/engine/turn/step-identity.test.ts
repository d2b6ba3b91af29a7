/** Identity of a step: in whatever order runs take them, each gets its own result (I13). */
import { describe, expect, it, vi } from "vitest";
import { z } from "zod";

import type { InspectionEvent, Troupe } from "@troupe/core";
import type { AgentDefinition } from "@troupe/core/engine";
import type { Log } from "@troupe/core/log";
import { agent, createTroupe } from "@troupe/core";
import { idempotencyKeyOf } from "@troupe/core/engine";
import { createMemoryBroker } from "@troupe/testing";

const quick = {
  timings: { joinDelayMs: 0, deadAfterMs: 300, heartbeatMs: 50 },
  retry: { attemptsMax: 4, delayMs: 1, delayMsMax: 2 },
} as const;

async function work(log: Log, definition: AgentDefinition): Promise<Troupe> {
  const troupe = createTroupe(log);
  await troupe.work(definition, quick);
  return troupe;
}

function eventsOf(troupe: Troupe): InspectionEvent[] {
  const events: InspectionEvent[] = [];
  troupe.inspect((event) => void events.push(event));
  return events;
}

describe("a step", () => {
  it("is found by its input when branches overtake each other after a crash", async () => {
    const calls: string[] = [];
    const [planned, stuck] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
    let run = 0;
    const team = agent("team").on("go", z.object({}), async (ctx) => {
      const first = ++run === 1;
      const model = (prompt: string): Promise<string> =>
        ctx.step("model", { prompt }, async (input) => {
          calls.push(input.prompt);
          // In the first run the plan of A comes last.
          if (first && input.prompt === "A plan") await planned.promise;
          return `answer to ${input.prompt}`;
        });
      const writer = async (name: string): Promise<string> => {
        const plan = await model(`${name} plan`);
        if (first && name === "A") {
          stuck.resolve();
          await new Promise(() => undefined);
        }
        const text = await model(`${name} text`);
        if (name === "B") planned.resolve();
        return `${plan} | ${text}`;
      };
      return Promise.all([writer("A"), writer("B")]);
    });
    const broker = createMemoryBroker({ partitions: 1 });
    const dying = broker.connect();
    await work(dying, team);
    await using client = createTroupe(broker.connect());
    const answer = client.agent(team, "t").go({});
    await stuck.promise;
    dying.crash();
    await using _ = await work(broker.connect(), team);
    expect(await answer).toEqual([
      "answer to A plan | answer to A text",
      "answer to B plan | answer to B text",
    ]);
    expect(calls.toSorted()).toEqual(["A plan", "A text", "B plan", "B text"]);
  });

  it("whose name looks like another one's second use has a result of its own", async () => {
    const shop = agent("shop").on("pay", z.array(z.string()), async (ctx, items) => {
      const receipts: string[] = [];
      for (const [index, item] of items.entries()) {
        receipts.push(await ctx.step(item, () => `receipt ${index} for ${item}`));
      }
      return receipts;
    });
    await using troupe = await work(createMemoryBroker().connect(), shop);
    const items = ["lamp", "lamp", "lamp#2", "2//lamp", "1//lamp", "__proto__", "lamp 2"];
    const receipts = await troupe.agent(shop, "a").pay(items);
    expect(receipts).toEqual(items.map((item, index) => `receipt ${index} for ${item}`));
  });

  it("is the same one when its handler tries it again, in that run and after it", async () => {
    const keys: string[] = [];
    let runs = 0;
    const shop = agent("shop").on("pay", z.object({}), async (ctx) => {
      runs += 1;
      for (;;) {
        try {
          const receipt = await ctx.step("charge", { cents: 5 }, (_, { idempotencyKey }) => {
            keys.push(idempotencyKey);
            if (keys.length < 3) throw new Error("the line was busy");
            return idempotencyKey;
          });
          if (runs < 2) throw new Error("after the charge", { cause: receipt });
          return receipt;
        } catch (thrown) {
          if ((thrown as Error).cause !== undefined) throw thrown;
        }
      }
    });
    await using troupe = await work(createMemoryBroker().connect(), shop);
    const receipt = await troupe.agent(shop, "a").pay({});
    expect(keys).toEqual([receipt, receipt, receipt]);
    expect(runs).toBe(2);
  });

  it("gets its input as it is stored, whatever the order of its properties", async () => {
    const seen: unknown[] = [];
    let runs = 0;
    const shop = agent("shop").on("pay", z.object({}), async (ctx) => {
      runs += 1;
      const input =
        runs === 1 ? { a: 1, b: undefined, c: { d: 2, e: 3 } } : { c: { e: 3, d: 2 }, a: 1 };
      const count = await ctx.step("charge", input, (given) => seen.push(given));
      if (runs === 1) throw new Error("again");
      return count;
    });
    await using troupe = await work(createMemoryBroker().connect(), shop);
    expect(await troupe.agent(shop, "a").pay({})).toBe(1);
    expect(seen).toEqual([{ a: 1, c: { d: 2, e: 3 } }]);
  });

  it("without an input is refused beside another one of its name, before its effect", async () => {
    const effect = vi.fn<() => Promise<number>>(async () => 1);
    const team = agent("team").on("go", z.object({}), (ctx) =>
      Promise.all([ctx.step("model", effect), ctx.step("model", effect)]),
    );
    await using troupe = await work(createMemoryBroker().connect(), team);
    await expect(troupe.agent(team, "t").go({})).rejects.toMatchObject({
      remote: { code: "ambiguous-step" },
    });
    expect(effect.mock.calls.length).toBeLessThan(2);
  });

  it("of the same name and input may be taken side by side: each is its own use", async () => {
    let count = 0;
    const team = agent("team").on("go", z.object({}), (ctx) =>
      Promise.all([1, 2, 3].map(() => ctx.step("draw", "card", async () => ++count))),
    );
    await using troupe = await work(createMemoryBroker().connect(), team);
    expect((await troupe.agent(team, "t").go({})).toSorted((a, b) => a - b)).toEqual([1, 2, 3]);
  });

  it.each(["", "~now", "~ask a/b c"])("cannot have the name %j", async (name) => {
    const odd = agent("odd").on("go", z.object({}), (ctx) => ctx.step(name, () => 1));
    await using troupe = await work(createMemoryBroker().connect(), odd);
    await expect(troupe.agent(odd, "a").go({})).rejects.toMatchObject({
      remote: { code: "invalid-step" },
    });
  });

  it("that the committed run did not take is told, on the feed and in the record", async () => {
    let runs = 0;
    const shop = agent("shop").on("buy", z.object({}), async (ctx) => {
      runs += 1;
      await ctx.step("charge", { run: runs }, () => runs);
      if (runs === 1) throw new Error("again");
      return runs;
    });
    await using troupe = createTroupe(createMemoryBroker().connect());
    const events = eventsOf(troupe);
    await troupe.work(shop, quick);
    await troupe.agent(shop, "a").buy({});
    const told = events.find(({ kind }) => kind === "steps.unused");
    expect(told).toMatchObject({ steps: [expect.stringMatching(/^charge /)] });
    for await (const { record } of troupe.turns("shop", "a")) {
      expect(record.unusedSteps).toMatchObject([{ name: "charge", use: 1 }]);
    }
  });

  it("is in the record with its input's digest and its place in the run", async () => {
    const shop = agent("shop").on("buy", z.object({}), async (ctx) => {
      ctx.now();
      await ctx.step("look", () => 1);
      await ctx.step("charge", { cents: 5 }, () => 2);
    });
    await using troupe = await work(createMemoryBroker().connect(), shop);
    await troupe.agent(shop, "a").buy({});
    for await (const { steps } of troupe.turns("shop", "a")) {
      expect(steps.map(({ digest, name, order }) => [order, name, digest?.length])).toEqual([
        [1, "~now", undefined],
        [2, "look", undefined],
        [3, "charge", 11],
      ]);
    }
  });
});

it("an idempotency key is different for whatever is different, and fits into a header", () => {
  const agents = [
    { type: "shop", key: "a" },
    { type: "shop", key: "a@1" },
    { type: "shop", key: "ä\n" },
  ];
  const steps = [
    { name: "pay", digest: undefined, use: 1 },
    { name: "pay", digest: undefined, use: 2 },
    { name: "pay", digest: "null", use: 1 },
    { name: "pay/2", digest: undefined, use: 1 },
  ];
  const keys = ["one log", "another"].flatMap((log) =>
    agents.flatMap((id) =>
      [1, 2].flatMap((position) => steps.map((step) => idempotencyKeyOf(log, id, position, step))),
    ),
  );
  expect(new Set(keys).size).toBe(keys.length);
  expect(keys.every((key) => /^shop@\d\.[\w-]{32}$/.test(key))).toBe(true);
});
