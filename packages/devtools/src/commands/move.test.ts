import { afterAll, beforeAll, expect, test } from "vitest";
import { startBankSystem } from "../../fixtures/bank-system.ts";
import type { BankSystem } from "../../fixtures/bank-system.ts";

let bank: BankSystem;

beforeAll(async () => {
  bank = await startBankSystem();
});

afterAll(() => bank[Symbol.asyncDispose]());

test("moves the log, says what it did, and the old namespace says where it is", async () => {
  const ask = ["ask", "account/alice", "deposit", '{"amount":5}'];
  expect(await bank.run(ask)).toMatchObject({ code: 0 });
  const moved = await bank.run(["move", "troupe2", "--partitions", "64", "--yes"]);
  expect(moved.code).toBe(0);
  expect(moved.stdout).toMatch(/^Moved the log \w+ from troupe to troupe2: 16 → 64 partitions\.$/m);
  expect(moved.stdout).toMatch(/each compared with the original \([\w-]{32}\)$/m);
  const there = await bank.run(["inspect", "account/alice", "--namespace", "troupe2"]);
  expect(there.stdout).toContain("deposit");
  const here = await bank.run(ask);
  expect(here.code).toBe(1);
  expect(here.stderr).toContain("moved into the namespace troupe2");
  const again = await bank.run(["move", "troupe2", "--partitions", "64", "--yes"]);
  expect(again.code).toBe(1);
  expect(again.stderr).toContain("is in the namespace troupe2 already");
  const json = await bank.run(["move", "troupe3", "-n", "troupe2", "--json", "--yes"]);
  expect(JSON.parse(json.stdout)).toMatchObject({ from: "troupe2", to: "troupe3", timers: 0 });
});

test("refuses a namespace that is none, and one that exists", async () => {
  const none = await bank.run(["move", "a.>", "--yes"]);
  expect(none.code).toBe(1);
  expect(none.stderr).toContain("cannot be a namespace");
  const same = await bank.run(["move", "troupe3", "--namespace", "troupe3", "--yes"]);
  expect(same.stderr).toContain("already");
});
