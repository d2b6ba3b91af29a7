/** The first agent of the README: an account that takes deposits. */
import { agent } from "@troupe/core";
import { connect } from "@troupe/jetstream";
import { z } from "zod";

export const account = agent("account")
  .state({ balance: 0 })
  .event("deposited", z.object({ amount: z.number() }), (state, { amount }) => ({
    balance: state.balance + amount,
  }))
  .on("deposit", z.object({ amount: z.number().positive() }), (ctx, { amount }) => {
    ctx.emit.deposited({ amount });
    return ctx.state.balance;
  });

if (import.meta.main) {
  await using troupe = await connect(process.env["TROUPE_NATS_URL"] ?? "nats://127.0.0.1:4222");
  await troupe.work(account);
  const balance = await troupe.agent(account, "alice").deposit({ amount: 5 });
  console.log(`alice has ${balance}`);
  for await (const turn of troupe.replay(account, "alice")) {
    console.log(turn.record.turn, turn.record.message, turn.state);
  }
}
