import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, expect, test } from "vitest";
import { startBankSystem } from "../../fixtures/bank-system.ts";
import type { BankSystem } from "../../fixtures/bank-system.ts";
import { bankModule } from "../../fixtures/troupe-process.ts";

const balances = fileURLToPath(new URL("../../fixtures/balances.ts", import.meta.url));
let bank: BankSystem;

beforeAll(async () => {
  bank = await startBankSystem();
  for (const amount of [3, 4]) {
    await bank.run(["ask", "account/alice", "deposit", JSON.stringify({ amount })]);
  }
  await bank.run(["ask", "account/bob", "deposit", '{"amount":5}']);
});

afterAll(() => bank[Symbol.asyncDispose]());

test("builds the model from zero and ends when it has caught up", async () => {
  const args = ["project", balances, "--export", "balances", "--rebuild", "--once", "--json"];
  const { code, stdout, stderr } = await bank.run(args);
  expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
  const last: unknown = JSON.parse(stdout.trimEnd().split("\n").at(-1) ?? "");
  expect(last).toMatchObject({ projection: "balances", version: 1, lag: 0, applied: 3 });
});

test("keeps the model up to date until Ctrl-C", async () => {
  await using projecting = bank.start(["project", balances, "--export", "balances"]);
  await projecting.shows("Caught up at position");
  const { code, stdout } = await projecting.end("SIGINT");
  expect(code).toBe(0);
  expect(stdout).toMatch(/^balances · position \d+ · lag 0 · 3 events$/m);
});

test("stops at a poison event and says where it is", async () => {
  const { code, stderr } = await bank.run(["project", balances, "--export", "picky"]);
  expect(code).toBe(1);
  expect(stderr).toContain("could not handle the event deposited of account/bob at position");
  expect(stderr).toContain("not Bob again");
});

test("skips poison events when it is told to, and says so", async () => {
  const args = ["project", balances, "--export", "picky", "--once", "--skip-poison"];
  const { code, stdout, stderr } = await bank.run(args);
  expect(code).toBe(1);
  expect(stdout).toContain("2 events · 1 skipped");
  expect(stderr).toContain("not Bob again");
});

test.each([
  [[balances], 2, "exports more than one projection"],
  [[balances, "--export", "missing"], 2, "There is no export missing"],
  [[bankModule], 1, "exports no projection"],
  [[balances, "--export", "balances", "--batch", "0"], 2, "a whole number"],
])("project %j exits with %i", async (args, expected, text) => {
  const { code, stderr } = await bank.run(["project", ...args]);
  expect(code).toBe(expected);
  expect(stderr.replaceAll(/\s+/g, " ")).toContain(text);
});
