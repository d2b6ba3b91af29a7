/** The work of the benchmarks: deposits on accounts, the same messages for every contestant. */
import { setTimeout as sleep } from "node:timers/promises";

import { agent } from "@troupe/core";
import { encodePayload } from "@troupe/core/log";
import type { InputDraft, Log } from "@troupe/core/log";
import { z } from "zod";

/** About 220 bytes of payload. */
export const deposit = { amount: 5, text: "x".repeat(200) };
export const depositBytes: Uint8Array = encodePayload(deposit);

let deposits = 0;

/** Deposits that were handled in this process. */
export const depositsSoFar = (): number => deposits;

export const account = agent("account")
  .state({ balance: 0 })
  .event("deposited", z.object({ amount: z.number() }), (state, { amount }) => ({
    balance: state.balance + amount,
  }))
  .on("deposit", z.object({ amount: z.number(), text: z.string() }), (ctx, { amount }) => {
    deposits += 1;
    ctx.emit.deposited({ amount });
    return ctx.state.balance;
  })
  .on("where", z.object({}), () => process.pid)
  .on("wait", z.object({ ms: z.number() }), async (ctx, { ms }) => {
    await sleep(ms, undefined, { signal: ctx.signal });
  });

export const traceparent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

export interface Load {
  readonly count: number;
  /** Spread over so many accounts. @default 1000 */
  readonly keys?: number;
  /** Asking for a reply at this address. @default none */
  readonly replyTo?: string | undefined;
  /** @default depositBytes */
  readonly payload?: Uint8Array;
}

/** Put deposits on the log, each awaited, many at a time. */
export async function preload(log: Log, load: Load): Promise<void> {
  await windowed(load.count, 256, async (number) => {
    await log.accept(depositDraft(number, load));
  });
}

function depositDraft(number: number, load: Omit<Load, "count">): InputDraft {
  const { keys = 1000, payload = depositBytes, replyTo } = load;
  return {
    address: { kind: "agent", name: account.type, key: `key-${number % keys}` },
    metadata: {
      id: `deposit-${number}`,
      message: "deposit",
      contentType: "application/msgpack",
      traceparent,
      ...(replyTo === undefined ? {} : { replyTo }),
    },
    payload,
  };
}

/** Do something for every number below `count`, at most `width` at a time. */
export async function windowed(
  count: number,
  width: number,
  run: (number: number) => Promise<void>,
): Promise<void> {
  let next = 0;
  const lane = async (): Promise<void> => {
    for (let number = next++; number < count; number = next++) await run(number);
  };
  await Promise.all(Array.from({ length: Math.min(width, count) }, lane));
}
