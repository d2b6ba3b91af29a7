/** An agent that pays: one charge per command, through a step with an idempotency key. */
import { agent, type Agent } from "@troupe/core";
import { z } from "zod";

export interface Payment {
  readonly command: string;
  readonly cents: number;
}

export interface Paid extends Payment {
  readonly receipt: string;
}

export interface Balance {
  readonly count: number;
  readonly cents: number;
}

export type Payer = Agent<
  Balance,
  { readonly paid: Paid },
  {
    readonly pay: { readonly input: Payment; readonly reply: string };
    readonly report: { readonly input: object; readonly reply: Balance };
  }
>;

export const emptyBalance: Balance = Object.freeze({ count: 0, cents: 0 });

const payment = z.object({ command: z.string(), cents: z.int().positive() });
const paid = payment.extend({ receipt: z.string() });

/** @param serviceUrl where to charge, and by whom; whoever only asks the agent needs neither */
export function payerAgent(serviceUrl = "", worker = ""): Payer {
  return agent("payer")
    .state<Balance>(emptyBalance)
    .event("paid", paid, ({ cents, count }, event) => ({
      count: count + 1,
      cents: cents + event.cents,
    }))
    .on("pay", payment, async (context, message) => {
      const receipt = await context.step("charge", ({ idempotencyKey, signal }) =>
        charge({ serviceUrl, worker }, message, idempotencyKey, signal),
      );
      context.emit.paid({ ...message, receipt });
      return receipt;
    })
    .on("report", z.object({}), (context) => context.state);
}

async function charge(
  { serviceUrl, worker }: { readonly serviceUrl: string; readonly worker: string },
  message: Payment,
  idempotencyKey: string,
  signal: AbortSignal,
): Promise<string> {
  const response = await fetch(serviceUrl, {
    method: "POST",
    headers: { "Idempotency-Key": idempotencyKey, Worker: worker },
    body: JSON.stringify(message),
    signal,
  });
  const { receipt } = (await response.json()) as { readonly receipt: string };
  return receipt;
}
