/**
 * Orders that charge cards: steps with an effect outside of the log, one after the other and at
 * once, with drawn values in between. The provider sees one idempotency key per charge, however
 * often it is called, and what a turn decides fits the results that are recorded.
 */
import assert from "node:assert/strict";

import { agent } from "@troupe/core";
import type { Stage, System } from "@troupe/core/testing";
import { z } from "zod";

/** The payment provider of the run that is going on; runs follow one another. */
const provider = {
  wait: async (_delayMs: number): Promise<void> => undefined,
  receipts: new Map<string, string>(),
  calls: 0,
};

/** A call that takes its time and knows its key. */
async function chargeCard(key: string, amount: number): Promise<string> {
  provider.calls += 1;
  const call = provider.calls;
  await provider.wait(call % 7);
  const receipt = provider.receipts.get(key) ?? `receipt-${call}-${amount}`;
  provider.receipts.set(key, receipt);
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
      const deposit = await ctx.step("deposit", ({ idempotencyKey }) =>
        chargeCard(idempotencyKey, 1),
      );
      const rest = await Promise.all(
        Array.from({ length: parts }, (_, index) =>
          ctx.step("part", index, (part, { idempotencyKey }) => chargeCard(idempotencyKey, part)),
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
    provider.calls = 0;
    provider.wait = (delayMs) => stage.wait(delayMs);
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
