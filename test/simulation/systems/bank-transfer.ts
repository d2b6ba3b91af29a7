/**
 * A bank: transfers between accounts through a transfer agent, a saga that pays back when the
 * second half fails. No money comes into being or is lost, and no account is ever below zero.
 */
import assert from "node:assert/strict";

import { agent, agentNamed } from "@troupe/core";
import type { History, Stage, System } from "@troupe/testing";
import { z } from "zod";

const party = z.object({ transfer: z.string(), amount: z.number().positive() });
const transfers = agentNamed("transfer");

const account = agent("account")
  .state({ balance: 0, isOpen: true })
  .event("deposited", z.object({ amount: z.number() }), (state, { amount }) => ({
    ...state,
    balance: state.balance + amount,
  }))
  .event("withdrawn", party, (state, { amount }) => ({ ...state, balance: state.balance - amount }))
  .event("credited", party, (state, { amount }) => ({ ...state, balance: state.balance + amount }))
  .event("closed", z.object({}), (state) => ({ ...state, isOpen: false }))
  .on("deposit", z.object({ amount: z.number().positive() }), (ctx, { amount }) => {
    ctx.emit.deposited({ amount });
    return ctx.state.balance;
  })
  .on("withdraw", party, (ctx, { amount, transfer }) => {
    const isCovered = ctx.state.balance >= amount;
    if (isCovered) ctx.emit.withdrawn({ transfer, amount });
    ctx.send(transfers, transfer)[isCovered ? "withdrawn" : "refused"]?.({});
  })
  .on("credit", party, (ctx, { amount, transfer }) => {
    if (ctx.state.isOpen) ctx.emit.credited({ transfer, amount });
    ctx.send(transfers, transfer)[ctx.state.isOpen ? "credited" : "refused"]?.({});
  })
  .on("payBack", party, (ctx, { amount, transfer }) => {
    ctx.emit.credited({ transfer, amount });
    ctx.send(transfers, transfer)["paidBack"]?.({});
  })
  .on("close", z.object({}), (ctx) => ctx.emit.closed({}));

const order = z.object({ from: z.string(), to: z.string(), amount: z.number().positive() });
const step = z.object({
  status: z.enum(["withdrawing", "crediting", "paying-back", "done", "failed"]),
});

interface Progress {
  readonly status: string;
  readonly order: z.infer<typeof order>;
}

const asked: Progress = { status: "new", order: { from: "", to: "", amount: 0 } };

const transfer = agent("transfer")
  .state(asked)
  .event("ordered", order, (state, data) => ({ ...state, order: data }))
  .event("moved", step, (state, { status }) => ({ ...state, status }))
  .on("start", order, (ctx, { amount, from, to }) => {
    ctx.emit.ordered({ amount, from, to });
    ctx.emit.moved({ status: "withdrawing" });
    ctx.send(account, from).withdraw({ transfer: ctx.agent.key, amount });
  })
  .on("withdrawn", z.object({}), (ctx) => {
    const { amount, to } = ctx.state.order;
    ctx.emit.moved({ status: "crediting" });
    ctx.send(account, to).credit({ transfer: ctx.agent.key, amount });
  })
  .on("credited", z.object({}), (ctx) => ctx.emit.moved({ status: "done" }))
  .on("refused", z.object({}), (ctx) => {
    const { amount, from } = ctx.state.order;
    if (ctx.state.status !== "crediting") return ctx.emit.moved({ status: "failed" });
    ctx.emit.moved({ status: "paying-back" });
    ctx.send(account, from).payBack({ transfer: ctx.agent.key, amount });
  })
  .on("paidBack", z.object({}), (ctx) => ctx.emit.moved({ status: "failed" }));

const holders = ["alice", "bob", "carol", "dave"] as const;

export const bankTransfer: System = {
  name: "bank-transfer",
  agents: [account, transfer],
  drive: async (client, stage: Stage) => {
    await stage.times(
      holders.length,
      async (index) => client.send(account, holders[index] ?? "").deposit({ amount: 100 }),
      { withinMs: 20 },
    );
    await stage.times(8, async (index, chance) => {
      const from = chance.pick(holders);
      const to = chance.pick(holders);
      const amount = chance.between(1, 80);
      await client.send(transfer, `t${index}`).start({ from, to, amount });
      if (chance.happens(0.1)) await client.send(account, to).close({});
    });
  },
  check: (history) => {
    const balances = history.keys(account).map((key) => history.state(account, key).balance);
    assert.equal(sum(balances), 100 * deposits(history), "money was made or lost");
    for (const key of history.keys(account)) assertNeverNegative(history, key);
    for (const key of history.keys(transfer)) {
      assert.match(history.state(transfer, key).status, /^(?:done|failed)$/, `transfer ${key}`);
    }
  },
};

function deposits(history: History): number {
  return [...history.inputs.values()].filter(({ metadata }) => metadata.message === "deposit")
    .length;
}

function assertNeverNegative(history: History, key: string): void {
  let balance = 0;
  for (const { record } of history.turns(account, key)) {
    for (const { data, type } of record.events) {
      const { amount = 0 } = data as { readonly amount?: number };
      balance += type === "withdrawn" ? -amount : amount;
    }
    assert.ok(balance >= 0, `${key} is at ${balance} after turn ${record.turn}`);
  }
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}
