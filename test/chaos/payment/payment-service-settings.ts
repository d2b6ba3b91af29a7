/** Settings of the payment service, its notices, and its ledger. */
import { readFile } from "node:fs/promises";

import { Program } from "../../e2e/program.ts";

export interface PaymentServiceSettings {
  readonly ledgerPath: string;
  /** Longest time before and after a charge, in milliseconds. */
  readonly delayMsMax: number;
  /** The share of charges that are made but not answered. */
  readonly lostAnswers: number;
}

/** A line of the ledger. */
export interface Charge {
  /** The idempotency key. */
  readonly key: string;
  readonly command: string;
  readonly cents: number;
  readonly receipt: string;
}

/** Number of times that a charge was asked for. */
export interface Attempts {
  /** The idempotency key. */
  readonly key: string;
  readonly count: number;
  readonly lastAtMs: number;
  /** The worker that asked last. */
  readonly lastBy: string;
}

const script = new URL("./payment-service.ts", import.meta.url);

/** Start the service; resolves when it listens. */
export async function startPaymentService(
  settings: PaymentServiceSettings,
): Promise<{ readonly program: Program; readonly url: string }> {
  const program = await Program.start(script, settings);
  const { url } = await program.said("listening");
  return { program, url: String(url) };
}

export async function attemptsOf(program: Program): Promise<readonly Attempts[]> {
  return (await program.ask("attempts")) as readonly Attempts[];
}

/** Every charge that reached the disk. */
export async function readLedger(path: string): Promise<readonly Charge[]> {
  const lines = (await readFile(path, "utf8")).split("\n").filter((line) => line !== "");
  return lines.map((line) => JSON.parse(line) as Charge);
}
