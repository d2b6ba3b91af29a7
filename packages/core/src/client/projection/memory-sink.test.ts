import { describe, expect, test } from "vitest";
import { z } from "zod";

import { agent, createTroupe, memoryModel, memorySink, projection } from "@troupe/core";
import type { Troupe } from "@troupe/core";
import { createMemoryBroker } from "@troupe/testing";

const basket = agent("basket")
  .event("filled", z.object({ items: z.array(z.string()), at: z.date() }), (state) => state)
  .on("put", z.object({ items: z.array(z.string()) }), (ctx, { items }) =>
    ctx.emit.filled({ items, at: new Date(5) }),
  );

async function filled(): Promise<Troupe> {
  const troupe = createTroupe(createMemoryBroker().connect());
  await troupe.work(basket, { timings: { joinDelayMs: 0 } });
  await troupe.agent(basket, "a").put({ items: ["b", "a"] });
  return troupe;
}

describe("a model in memory", () => {
  test("that is not storable is refused by name, with its path (I12)", async () => {
    await using troupe = await filled();
    const odd = projection(
      "odd",
      memoryModel(() => ({ seen: [] as unknown[] })),
    ).on(basket, "filled", (model) => void model.seen.push(() => 1));
    const running = await troupe.project(odd, memorySink());
    const ended = running.ended.catch((thrown: unknown) => thrown);
    await expect(ended).resolves.toMatchObject({
      code: "sink-refused",
      message: expect.stringContaining("seen[0] is a function"),
    });
  });

  test("is not changed by who reads it", async () => {
    await using troupe = await filled();
    const sink = memorySink();
    const count = projection(
      "count",
      memoryModel(() => new Map<string, Date>()),
    ).on(basket, "filled", (model, { at }, { agent: { key } }) => void model.set(key, at));
    await using running = await troupe.project(count, sink);
    await running.caughtUp();
    sink.read(count).get("a")?.setTime(9);
    sink.read(count).clear();
    expect(sink.read(count)).toEqual(new Map([["a", new Date(5)]]));
  });

  test("sees the event as it is stored, also when its transaction runs again", async () => {
    await using troupe = await filled();
    await troupe.agent(basket, "b").put({ items: ["poison"] });
    const seen: unknown[] = [];
    const sorting = projection(
      "sorting",
      memoryModel(() => 0),
    ).on(basket, "filled", (_, { at, items }) => {
      if (items.includes("poison")) throw new Error("It cannot be handled.");
      seen.push([[...items], at.getTime()]);
      at.setTime(9);
    });
    // Both are in one transaction; the first one runs again without the second.
    const running = await troupe.project(sorting, memorySink());
    await expect(running.ended).rejects.toMatchObject({ code: "poison-event" });
    expect(seen).toEqual([
      [["b", "a"], 5],
      [["b", "a"], 5],
    ]);
  });
});
