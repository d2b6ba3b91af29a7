/**
 * Retention: accounts that keep twenty turns and orders that keep nothing once they have ended,
 * with collectors that never rest. Every reply says what its agent's state was, so a state that was
 * lost or came from a wrong base record is seen in the journal; a message that was removed before
 * it was handled is missing; an ask whose record went too early has no answer.
 */
import assert from "node:assert/strict";

import type { Troupe } from "@troupe/core";
import type { ErrorData } from "@troupe/core/log";
import { agent, topic } from "@troupe/core";
import { errorData } from "@troupe/core/log";
import type { History, System } from "@troupe/testing";
import { z } from "zod";

const rates = topic("rates", z.number(), { retention: { ageMs: 500 } });

const order = agent("order")
  .retention({ after: "ended" })
  .state({ items: 0 })
  .event("added", z.number(), ({ items }, count) => ({ items: items + count }))
  .on("add", z.number(), (ctx, count) => {
    ctx.emit.added(count);
    return ctx.state.items;
  })
  .on("ship", z.object({}), (ctx) => {
    ctx.send(account, ctx.agent.key).book(ctx.state.items);
    ctx.end();
    return ctx.state.items;
  });

const account = agent("account")
  .retention({ turns: 20 })
  .state({ sum: 0, count: 0 })
  .event("booked", z.number(), ({ count, sum }, amount) => ({
    sum: sum + amount,
    count: count + 1,
  }))
  .on("book", z.number(), (ctx, amount) => {
    ctx.emit.booked(amount);
    return ctx.state;
  })
  .on("buy", z.number(), async (ctx, count) => {
    const items = await ctx.ask(order, ctx.agent.key).add(count);
    ctx.emit.booked(0);
    return { ...ctx.state, items };
  })
  .subscribe(rates, (ctx, rate) => ctx.emit.booked(rate));

const keys = ["alice", "bob"] as const;

export const retention: System = {
  name: "retention",
  agents: [account, order],
  // With a smaller window what an ask is for may wait behind what waits for the asker.
  settings: {
    windowMax: 64,
    activationsMax: 1000,
    collector: { agentsPerSecond: 1000, settleMs: 500, lookMs: 100, sweepMs: 2000, prefixMin: 1 },
  },
  drive: async (client, stage) => {
    await stage.times(
      140,
      async (_, chance) => {
        const key = chance.pick(keys);
        if (chance.happens(0.1)) return client.publish(rates, key, chance.between(1, 9));
        if (chance.happens(0.2)) return kept(client.agent(account, key).buy(chance.between(1, 3)));
        if (chance.happens(0.1)) return kept(ship(client, key));
        return client.send(account, key).book(chance.between(1, 9));
      },
      { withinMs: 10_000 },
    );
    // Whoever comes now begins with what is left.
    await stage.stopWorkers();
    await Promise.all(keys.map((key) => client.send(account, key).book(1)));
    stage.startWorkers();
  },
  check: (history) => {
    for (const key of keys) {
      checkAccount(history, key);
      checkOrder(history, key);
    }
  },
};

/** A reply that was lost for so long is not kept any more; that is said. */
async function kept(asking: Promise<unknown>): Promise<void> {
  await asking.catch((thrown: unknown) => {
    if (!isNotKept(errorData(thrown))) throw thrown;
  });
}

/** The record with a reply is gone. */
export function isNotKept({ code, details }: ErrorData): boolean {
  return code === "reply-not-kept" || details?.["remoteCode"] === "reply-not-kept";
}

async function ship(client: Troupe, key: string): Promise<void> {
  await client.agent(order, key).add(1);
  await client.agent(order, key).ship({});
}

/** Each reply is the fold of everything before it, whoever had the agent and whatever was left. */
function checkAccount(history: History, key: string): void {
  let sum = 0;
  let count = 0;
  for (const { record } of history.turns(account, key)) {
    for (const { data } of record.events) {
      sum += data as number;
      count += 1;
    }
    if (record.topic !== undefined) continue;
    if (record.failure !== undefined && isNotKept(record.failure)) continue;
    assert.equal(record.failure, undefined, `${key}: turn ${record.turn}`);
    const { count: told, sum: state } = record.reply as { readonly sum: number; count: number };
    assert.deepEqual([state, told], [sum, count], `${key}: what turn ${record.turn} said`);
  }
}

/** An order that was shipped begins again with nothing, and its turns are counted on. */
function checkOrder(history: History, key: string): void {
  let items = 0;
  for (const { record } of history.turns(order, key)) {
    for (const { data } of record.events) items += data as number;
    assert.equal(record.reply, items, `${key}: what turn ${record.turn} said`);
    if (record.message === "ship") items = 0;
  }
}
