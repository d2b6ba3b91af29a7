import { afterAll, beforeAll, expect, test } from "vitest";
import { startBankSystem } from "../../fixtures/bank-system.ts";
import type { BankSystem } from "../../fixtures/bank-system.ts";

let bank: BankSystem;

beforeAll(async () => {
  bank = await startBankSystem();
});

afterAll(() => bank[Symbol.asyncDispose]());

test("lists the known types and the living workers", async () => {
  const { code, stdout } = await bank.run(["agents"]);
  expect(code).toBe(0);
  expect(stdout).toBe(`account  1.2.3 · 1 worker
  messages  deposit, withdraw, balance
  events    deposited, withdrawn

ledger  1.2.3 · 1 worker
  topics    payments
  events    booked

1 living worker
first
  holds     account 16/16, ledger 16/16
`);
});

test("prints the same as JSON", async () => {
  const { stdout } = await bank.run(["agents", "--json"]);
  const all = Array.from({ length: 16 }, (_, partition) => partition);
  expect(JSON.parse(stdout)).toMatchObject({
    agents: [{ type: "account", version: "1.2.3" }, { type: "ledger" }],
    workers: [{ worker: "first", holds: { account: all, ledger: all } }],
  });
});

test("shows that the last worker is gone", async () => {
  await using system = await bankWithoutWorker();
  const { stdout } = await system.run(["agents"]);
  expect(stdout).toContain("account  1.2.3 · no worker");
  expect(stdout).toContain("No worker is alive.");
});

async function bankWithoutWorker(): Promise<BankSystem> {
  const system = await startBankSystem();
  await system.worker.end("SIGTERM");
  return system;
}

test("lists the keys of a type, all or those that match", async () => {
  for (const key of ["eu-1", "eu-2", "us-1"]) {
    await bank.run(["ask", `account/${key}`, "deposit", '{"amount":1}']);
  }
  const matching = await bank.run(["agents", "account", "--match", "eu-*"]);
  expect(matching.stdout.trimEnd().split("\n").toSorted()).toEqual(["eu-1", "eu-2"]);
  const all = await bank.run(["agents", "account", "--json"]);
  expect(all.stdout).toContain('"us-1"\n');
  const none = await bank.run(["agents", "account", "--match", "asia-*"]);
  expect(none).toEqual({ code: 0, stdout: "", stderr: "No account matches.\n" });
  const unknown = await bank.run(["agents", "acount"]);
  expect(unknown).toMatchObject({ code: 1, stdout: "" });
  expect(unknown.stderr).toContain("no agent type acount");
  expect(await bank.run(["agents", "--match", "a*"])).toMatchObject({ code: 2 });
});
