import { AssertionError } from "node:assert/strict";

import { describe, expect, expectTypeOf, test } from "vitest";
import { z } from "zod";

import { agent, Reject, topic } from "@troupe/core";
import { given } from "./given.ts";

const amount = z.object({ amount: z.number().positive() });
const rates = topic("rates", z.object({ percent: z.number() }));
const alarms = topic("alarms", z.object({ balance: z.number() }));

const limits = agent("limits").on("limitOf", z.object({ holder: z.string() }), () => 100);

const account = agent("account")
  .state({ balance: 0 })
  .event("deposited", amount, (state, event) => ({ balance: state.balance + event.amount }))
  .event("withdrawn", amount, (state, event) => ({ balance: state.balance - event.amount }))
  .on("deposit", amount, async (ctx, message) => {
    const limit = await ctx.ask(limits, ctx.agent.key).limitOf({ holder: ctx.agent.key });
    if (ctx.state.balance + message.amount > limit) throw new Reject("over the limit", { limit });
    ctx.emit.deposited(message);
    return ctx.state.balance;
  })
  .on("withdraw", amount, (ctx, message) => {
    ctx.emit.withdrawn(message);
    if (ctx.state.balance < 0) throw new Error("not covered");
    if (ctx.state.balance < 10) ctx.publish(alarms, ctx.agent.key, ctx.state);
    return ctx.state.balance;
  })
  .on("move", z.object({ to: z.string(), amount: z.number() }), (ctx, message) => {
    ctx.emit.withdrawn({ amount: message.amount });
    ctx.send(account, message.to).withdraw({ amount: message.amount });
  })
  .subscribe(rates, (ctx, { percent }) => {
    ctx.emit.deposited({ amount: (ctx.state.balance * percent) / 100 });
  });

const deposited = (sum: number) => ({ type: "deposited", data: { amount: sum } }) as const;
const withdrawn = (sum: number) => ({ type: "withdrawn", data: { amount: sum } }) as const;

/** Reply that can be expected to `withdraw`. */
type ExpectedReply = Parameters<ReturnType<typeof withdraw>["then"]>[0]["reply"];
const withdraw = () => given(account).when("withdraw", { amount: 1 });

describe("given, when, then", () => {
  test("an agent without history", async () => {
    await given(account)
      .answering(limits, "limitOf", 50)
      .when("deposit", { amount: 5 })
      .then({ events: [deposited(5)], reply: 5, state: { balance: 5 }, sent: [], published: [] });
  });

  test("an agent with history, that publishes", async () => {
    await given(account, [deposited(5), deposited(7)], { key: "alice" })
      .when("withdraw", { amount: 3 })
      .then({
        events: [withdrawn(3)],
        state: { balance: 9 },
        published: [{ topic: "alarms", source: "alice", data: { balance: 9 } }],
      });
  });

  test("a message that is sent", async () => {
    await given(account, [deposited(5)])
      .when("move", { to: "bob", amount: 5 })
      .then({ sent: [{ to: "account/bob", message: "withdraw", data: { amount: 5 } }] });
  });

  test("a publication on a topic", async () => {
    await given(account, [deposited(50)])
      .whenPublished(rates, { percent: 10 })
      .then({ events: [deposited(5)] });
  });

  test("a rejection, by what counts of it", async () => {
    const details = { reason: "over the limit", data: { limit: 50 } };
    await given(account, [deposited(50)])
      .answering(limits, "limitOf", 50)
      .when("deposit", { amount: 1 })
      .then({ failure: { code: "rejected", details }, events: [], state: { balance: 50 } });
  });

  test("a thrown error, after one try", async () => {
    await given(account)
      .when("withdraw", { amount: 1 })
      .then({ failure: { code: "handler-failed", message: "Error: not covered" }, events: [] });
  });

  test("a message that does not fit its schema", async () => {
    await given(account)
      .when("withdraw", { amount: -1 })
      .then({ failure: { code: "schema" } });
  });

  test("a handler that waits for something outside", async () => {
    const slow = agent("slow").on("wait", z.object({}), async () => {
      for (let i = 0; i < 3; i++) await new Promise((resolve) => setImmediate(resolve));
      return "done";
    });
    await given(slow).when("wait", {}).then({ reply: "done" });
  });

  test("the outcome, with nothing expected of it", async () => {
    const outcome = await given(account, [deposited(20)])
      .when("withdraw", { amount: 1 })
      .outcome();
    expect(outcome).toMatchObject({ events: [withdrawn(1)], reply: 19, failure: undefined });
    expectTypeOf(outcome.state).toEqualTypeOf<{ balance: number }>();
  });
});

const shop = agent("shop")
  .state({ paid: 0 })
  .event("paid", z.object({ charge: z.string(), at: z.number() }), ({ paid }) => ({
    paid: paid + 1,
  }))
  .on("pay", amount, async (ctx, order) => {
    const charge = await ctx.step("charge", order, () => {
      throw new Error("no test may reach the bank");
    });
    const tax = await ctx.step("tax", () => 2);
    ctx.emit.paid({ charge: `${String(charge)}+${tax}`, at: ctx.now() });
    return ctx.agent.key;
  })
  .on("check", async (ctx) => {
    await ctx.ask(limits, ctx.agent.key).limitOf({ holder: ctx.agent.key });
  });

describe("what is outside", () => {
  const paid = (charge: string, at: number) => ({ type: "paid", data: { charge, at } }) as const;
  const at = new Date("2027-03-01T12:00:00Z");

  test("a step has the result that is given, and the other ones run", async () => {
    await given(shop, [], { at, key: "main" })
      .step("charge", "ch_1")
      .when("pay", { amount: 5 })
      .then({ events: [paid("ch_1+2", at.getTime())], reply: "main", state: { paid: 1 } });
  });

  test("a function in place of a step gets its input, and may throw", async () => {
    const charge = (order: { readonly amount: number }): string => `ch_${order.amount}`;
    await given(shop, [paid("before", 1)], { at })
      .step("charge", charge)
      .when("pay", { amount: 7 })
      .then({ events: [paid("ch_7+2", at.getTime())], state: { paid: 2 } });
    await given(shop)
      .step("charge", () => {
        throw new Error("card declined");
      })
      .when("pay", { amount: 7 })
      .then({ events: [], failure: { code: "handler-failed" } });
  });

  test("an ask that is refused throws the refusal in the handler", async () => {
    await given(shop)
      .refusing(limits, "limitOf", "unknown holder", { holder: "one" })
      .when("check")
      .then({ failure: { code: "rejected" } });
  });
});

describe("it fails", () => {
  test.for([
    { name: "events", expected: { events: [deposited(1)] } },
    { name: "a state", expected: { state: { balance: 1 } } },
    { name: "a reply", expected: { reply: 3 } },
    { name: "a failure", expected: { failure: { code: "rejected" } } },
    { name: "messages", expected: { sent: [{ to: "a/b", message: "c", data: {} }] } },
  ])("when $name differ", async ({ expected }) => {
    const then = given(account, [deposited(50)])
      .when("withdraw", { amount: 1 })
      .then(expected);
    await expect(then).rejects.toThrow(AssertionError);
  });

  test("when the turn fails and that is not expected", async () => {
    const then = given(account).when("withdraw", { amount: 1 }).then({ events: [] });
    await expect(then).rejects.toThrow("The turn failed: Error: not covered");
  });

  test("when the history is not one of the agent", async () => {
    // @ts-expect-error -- no such event
    const unknown = given(account, [{ type: "vanished", data: {} }]).when("withdraw", {
      amount: 1,
    });
    await expect(unknown.then({})).rejects.toThrow("Agent account declares no event vanished.");
    const invalid = given(account, [deposited(-5)]).when("withdraw", { amount: 1 });
    await expect(invalid.then({})).rejects.toThrow("does not fit its schema");
  });

  test("when the case itself is awaited", async () => {
    const awaited = Promise.resolve<unknown>(given(account).when("withdraw", { amount: 1 }));
    await expect(awaited).rejects.toThrow("not the case itself");
  });

  test("to compile with a message, an event or a reply that the agent does not have", () => {
    const one = given(account);
    // @ts-expect-error -- no such message
    expect(() => one.when("vanish", {})).not.toThrow();
    // @ts-expect-error -- not its input
    expect(() => one.when("withdraw", { sum: 1 })).not.toThrow();
    // @ts-expect-error -- not its reply
    expect(() => one.answering(limits, "limitOf", "much")).not.toThrow();
    expectTypeOf<ExpectedReply>().toEqualTypeOf<number | undefined>();
  });
});
