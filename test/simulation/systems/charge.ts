/**
 * Orders that charge cards: steps with an effect outside of the log, one after the other and at
 * once, with drawn values in between. The provider sees one idempotency key per charge, however
 * often it is called, and what a turn decides fits the results that are recorded.
 */
import assert from "node:assert/strict";

import { agent } from "@troupe/core";
import type { StepInfo } from "@troupe/core";
import type { Stage, System } from "@troupe/testing";
import { z } from "zod";

/** The payment provider of the run that is going on; runs follow one another. */
const provider = {
  effect: (_step: StepInfo): Promise<string> => Promise.reject(new Error("no run is going on")),
  receipts: new Map<string, string>(),
};

/** A call that takes its time and knows its key. */
async function chargeCard(step: StepInfo): Promise<string> {
  const made = await provider.effect(step);
  const receipt = provider.receipts.get(step.idempotencyKey) ?? made;
  provider.receipts.set(step.idempotencyKey, receipt);
  return receipt;
}

const paid = z.object({
  id: z.string(),
  receipts: z.array(z.string()),
  reference: z.string(),
  atMs: z.number(),
});

const order = agent("order")
  .state({ paid: [] as readonly z.infer<typeof paid>[] })
  .event("paid", paid, (state, event) => ({ paid: [...state.paid, event] }))
  .on(
    "pay",
    z.object({ id: z.string(), parts: z.number(), shaky: z.boolean() }),
    async (ctx, message) => {
      const { id, parts, shaky } = message;
      const reference = ctx.id();
      const deposit = await ctx.step("deposit", chargeCard);
      const rest = await Promise.all(
        Array.from({ length: parts }, (_, index) =>
          ctx.step("part", index, (_part, step) => chargeCard(step)),
        ),
      );
      if (shaky && ctx.message.attempt < 2) throw new Error(`${id} is not ready`);
      ctx.emit.paid({ id, receipts: [deposit, ...rest], reference, atMs: ctx.now() });
      return deposit;
    },
  );

const keys = ["one", "two", "three"] as const;

export const charge: System = {
  name: "charge",
  agents: order,
  settings: { retry: { delayMs: 10, delayMsMax: 100 } },
  drive: async (client, stage: Stage) => {
    provider.receipts.clear();
    provider.effect = (step) => stage.effect(step);
    await stage.times(8, async (index, chance) => {
      const key = chance.pick(keys);
      const message = { id: `o${index}`, parts: chance.between(0, 3), shaky: chance.happens(0.2) };
      await client.send(order, key).pay(message);
    });
  },
  check: (history) => {
    const used = new Set<string>();
    for (const key of keys) {
      for (const { record, steps } of history.turns(order, key)) {
        assert.equal(record.failure, undefined, `turn ${record.turn} of ${key}`);
        const recorded = new Set(steps.map(({ value }) => value));
        const [event] = record.events.map(({ data }) => data as z.infer<typeof paid>);
        const told = [...(event?.receipts ?? []), event?.reference, event?.atMs];
        for (const value of told) assert.ok(recorded.has(value), `${key}: ${value}`);
      }
      for (const { receipts } of history.state(order, key).paid) {
        for (const receipt of receipts) used.add(receipt);
      }
    }
    assert.equal(used.size, provider.receipts.size, "every charge is in one order");
  },
};
