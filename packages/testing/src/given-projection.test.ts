import { AssertionError } from "node:assert";

import { describe, expect, expectTypeOf, test } from "vitest";
import { z } from "zod";

import { agent, memoryModel, projection } from "@troupe/core";
import { givenProjection } from "./given-projection.ts";

const amount = z.object({ amount: z.number() });

const account = agent("account")
  .event("deposited", amount, (state) => state)
  .event("withdrawn", amount, (state) => state);

const balances = projection(
  "balances",
  memoryModel(() => new Map<string, number>()),
)
  .on(account, "deposited", (model, event, { agent: { key } }) => {
    model.set(key, (model.get(key) ?? 0) + event.amount);
  })
  .on(account, "withdrawn", (model, event, { agent: { key } }) => {
    if (event.amount > (model.get(key) ?? 0)) throw new Error("overdrawn");
    model.set(key, (model.get(key) ?? 0) - event.amount);
  });

const deposited = { type: "deposited", data: { amount: 5 } } as const;
const withdrawn = { type: "withdrawn", data: { amount: 2 } } as const;

describe("a projection, given events", () => {
  test("then the model is that, in the order they were given", async () => {
    const model = await givenProjection(balances)
      .events(account, "alice", [deposited, deposited])
      .events(account, "bob", [deposited])
      .events(account, "alice", [withdrawn])
      .then(
        new Map([
          ["alice", 8],
          ["bob", 5],
        ]),
      );
    expectTypeOf(model).toEqualTypeOf<Map<string, number>>();
  });

  test("without events the model is the initial one", async () => {
    await givenProjection(balances).then(new Map());
    expect(await givenProjection(balances).model()).toEqual(new Map());
  });

  test("it fails when the model differs", async () => {
    const one = givenProjection(balances).events(account, "alice", [deposited]);
    await expect(one.then(new Map())).rejects.toThrow(AssertionError);
  });

  test("it fails with what a handler throws", async () => {
    const poor = givenProjection(balances).events(account, "alice", [withdrawn]);
    await expect(poor.model()).rejects.toMatchObject({ code: "poison-event" });
  });

  test("it fails when the events are not those of the agent", async () => {
    // @ts-expect-error -- no such event
    const unknown = givenProjection(balances).events(account, "a", [{ type: "stolen", data: {} }]);
    await expect(unknown.model()).rejects.toThrow("declares no event stolen");
  });

  test("it fails when the case itself is awaited", async () => {
    const awaited = Promise.resolve<unknown>(givenProjection(balances));
    await expect(awaited).rejects.toThrow("not the case itself");
  });
});
