/** The work of the benchmark: deposits on accounts, the same messages for every contestant. */
import { agent, encodePayload } from "@troupe/core";
import type { Log } from "@troupe/core";
import { z } from "zod";

const keys = 1000;

/** About 220 bytes of payload. */
export const deposit = { amount: 5, text: "x".repeat(200) };
export const depositBytes: Uint8Array = encodePayload(deposit);

export const account = agent("account")
  .state({ balance: 0 })
  .event("deposited", z.object({ amount: z.number() }), (state, { amount }) => ({
    balance: state.balance + amount,
  }))
  .on("deposit", z.object({ amount: z.number(), text: z.string() }), (ctx, { amount }) => {
    ctx.emit.deposited({ amount });
    return ctx.state.balance;
  });

const traceparent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

/** Put `count` deposits on the log, spread over all keys, each asking for a reply at `replyTo`. */
export async function preload(log: Log, count: number, replyTo: string): Promise<void> {
  let next = 0;
  const publish = async (): Promise<void> => {
    for (let number = next++; number < count; number = next++) {
      await log.accept({
        address: { kind: "agent", name: account.type, key: `key-${number % keys}` },
        metadata: {
          id: `deposit-${number}`,
          message: "deposit",
          contentType: "application/msgpack",
          traceparent,
          replyTo,
        },
        payload: depositBytes,
      });
    }
  };
  await Promise.all(Array.from({ length: 256 }, publish));
}
