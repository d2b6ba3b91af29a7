/**
 * A payment service as a bank has one: a process of its own that charges once per idempotency key.
 *
 * A charge counts when its line in the ledger file has reached the disk. Answers come late, and now
 * and then not at all although the charge was made. It ends with its parent.
 */
import { open } from "node:fs/promises";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";

import type { Attempts, Charge, PaymentServiceSettings } from "./payment-service-settings.ts";

const settings = JSON.parse(process.argv[2] ?? "{}") as PaymentServiceSettings;
const { delayMsMax, ledgerPath, lostAnswers } = settings;
const tell = (kind: string, more: object = {}): void => void process.send?.({ kind, ...more });

const ledger = await open(ledgerPath, "a");
const charged = new Map<string, Promise<Charge>>();
const attempts = new Map<string, Attempts>();
const waiting: string[] = [];
let writing: Promise<void> | undefined;

/** Lines that wait while others are being written go to the disk together. */
async function append(line: string): Promise<void> {
  waiting.push(line);
  await writing;
  if (!waiting.includes(line)) return writing;
  writing = write().finally(() => {
    writing = undefined;
  });
  return writing;
}

async function write(): Promise<void> {
  await ledger.write(waiting.splice(0).join(""));
  await ledger.sync();
}

async function charge(key: string, request: Pick<Charge, "cents" | "command">): Promise<Charge> {
  const made = { key, ...request, receipt: `receipt-${charged.size}` };
  await sleep(Math.random() * delayMsMax);
  await append(`${JSON.stringify(made)}\n`);
  return made;
}

async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
  const body = Buffer.concat(await request.toArray()).toString();
  const key = String(request.headers["idempotency-key"]);
  const { count = 0 } = attempts.get(key) ?? {};
  const lastBy = String(request.headers["worker"]);
  attempts.set(key, { key, count: count + 1, lastAtMs: Date.now(), lastBy });
  const made =
    charged.get(key) ?? charge(key, JSON.parse(body) as Pick<Charge, "cents" | "command">);
  charged.set(key, made);
  const { receipt } = await made;
  await sleep(Math.random() * delayMsMax);
  if (Math.random() < lostAnswers) response.destroy();
  else response.end(JSON.stringify({ receipt }));
}

const server = createServer((request, response) => {
  answer(request, response).catch(() => response.destroy());
});
server.listen(0, "127.0.0.1", () => {
  const { port } = server.address() as AddressInfo;
  tell("listening", { url: `http://127.0.0.1:${port}/charge` });
  tell("ready");
});
process.on("message", (question) => {
  if (question === "attempts") tell("answer attempts", { answer: [...attempts.values()] });
});
process.once("SIGTERM", () => process.exit(0));
process.once("disconnect", () => process.exit(0));
