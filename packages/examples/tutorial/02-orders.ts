/** Two agents and a topic: an order reserves stock and is paid for exactly once. */
import { agent, Reject, topic } from "@troupe/core";
import { connect } from "@troupe/jetstream";
import { z } from "zod";

export const orders = topic("orders", z.object({ sku: z.string(), count: z.number() }));

export const stock = agent("stock")
  .state({ left: 10 })
  .event("reserved", z.object({ count: z.number() }), ({ left }, { count }) => ({
    left: left - count,
  }))
  .on("reserve", z.object({ count: z.number() }), (ctx, { count }) => {
    // Final: not tried again, and the asker gets it typed.
    if (count > ctx.state.left) throw new Reject("out of stock", { left: ctx.state.left });
    ctx.emit.reserved({ count });
    return ctx.state.left;
  });

export const customer = agent("customer")
  .state({ notes: [] as readonly string[] })
  .event("notified", z.string(), ({ notes }, note) => ({ notes: [...notes, note] }))
  .on("notify", z.object({ note: z.string() }), (ctx, { note }) => ctx.emit.notified(note))
  .on("read", z.object({}), (ctx) => ctx.state.notes);

// Whoever publishes on the topic starts an order; its key is the publication's source.
export const order = agent("order")
  .state({ status: "new", receipt: "" })
  .event("paid", z.object({ receipt: z.string() }), (state, { receipt }) => ({
    ...state,
    status: "paid",
    receipt,
  }))
  .subscribe(orders, async (ctx, { sku, count }) => {
    const left = await ctx.ask(stock, sku).reserve({ count });
    // Recorded: after a crash the receipt returns, and nobody pays twice.
    const paying = { sku, count };
    const receipt = await ctx.step("pay", paying, async (_, step) => `paid ${step.idempotencyKey}`);
    ctx.emit.paid({ receipt });
    // Leaves with the commit of this turn, or not at all.
    ctx.send(customer, ctx.agent.key).notify({ note: `${count} of ${sku}, ${left} left` });
  })
  .on("status", z.object({}), (ctx) => ctx.state.status);

if (import.meta.main) {
  await using troupe = await connect(process.env["TROUPE_NATS_URL"] ?? "nats://127.0.0.1:4222");
  await troupe.work([stock, customer, order]);
  // Every run has a customer and a lamp of its own, so that it can be repeated.
  const run = Date.now().toString(36);
  const alice = `alice-${run}`;
  await troupe.publish(orders, alice, { sku: `lamp-${run}`, count: 2 });
  // One key's messages are handled in order: this one after the publication, whose turn has by then
  // sent the note, which is why the next one finds it.
  console.log("order:", await troupe.agent(order, alice).status({}));
  console.log(await troupe.agent(customer, alice).read({}));
}
