import { afterAll, beforeAll, expect, test } from "vitest";
import { startBankSystem } from "../../fixtures/bank-system.ts";
import type { BankSystem } from "../../fixtures/bank-system.ts";

let bank: BankSystem;

beforeAll(async () => {
  bank = await startBankSystem();
});

afterAll(() => bank[Symbol.asyncDispose]());

test("forgets messages and topics of a type, and says what is left", async () => {
  const forgotten = await bank.run([
    "agents",
    "forget",
    "account",
    "--message",
    "withdraw",
    "--yes",
  ]);
  expect(forgotten).toMatchObject({ code: 0, stdout: "Forgotten of account: withdraw.\n" });
  const args = ["agents", "forget", "ledger", "--topic", "payments", "--json", "--yes"];
  const { code, stdout } = await bank.run(args);
  expect(code).toBe(0);
  expect(JSON.parse(stdout)).toMatchObject({ type: "ledger", topics: [], events: ["booked"] });
  const { stdout: listed } = await bank.run(["agents"]);
  expect(listed).toContain("messages  deposit, balance\n");
});

test("refuses what is not known, and to forget nothing", async () => {
  const nothing = await bank.run(["agents", "forget", "account"]);
  expect(nothing).toMatchObject({ code: 2, stdout: "" });
  const unknown = await bank.run(["agents", "forget", "account", "--message", "deposit", "split"]);
  expect(unknown.code).toBe(1);
  expect(unknown.stderr).toMatch(/no split of account/);
  const noType = await bank.run(["agents", "forget", "nobody", "--topic", "payments"]);
  expect(noType.stderr).toMatch(/no agent type nobody/);
  const { stdout } = await bank.run(["agents"]);
  expect(stdout).toContain("messages  deposit");
});
