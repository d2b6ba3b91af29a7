import { afterAll, beforeAll, expect, test } from "vitest";
import { startBankSystem } from "../../fixtures/bank-system.ts";
import type { BankSystem } from "../../fixtures/bank-system.ts";
import { bankModule } from "../../fixtures/troupe-process.ts";

let bank: BankSystem;

beforeAll(async () => {
  bank = await startBankSystem();
  for (const key of ["ann", "bob"]) {
    await bank.run(["send", `account/${key}`, "withdraw", '{"amount":100}']);
    for (const amount of [1, 2]) {
      await bank.run(["ask", `account/${key}`, "deposit", JSON.stringify({ amount })]);
    }
  }
});

afterAll(() => bank[Symbol.asyncDispose]());

test("a dry run counts and changes nothing", async () => {
  const { code, stdout } = await bank.run(["erase", "account/ann", "--dry-run"]);
  expect(code).toBe(0);
  expect(stdout).toMatch(
    /^7 messages of account\/ann would be erased \(dry run, nothing was changed\):\n/,
  );
  expect(stdout).toMatch(/^ +3 +\S+ k?B +journal$/m);
  expect(stdout).toMatch(/^ +3 +\S+ k?B +messages$/m);
  expect(stdout).toMatch(/^ +1 +\S+ k?B +dead letters$/m);
  expect(stdout).toContain("No key of the data subject account/ann");
  const { stdout: inspected } = await bank.run(["inspect", "account/ann", "--json"]);
  expect(JSON.parse(inspected)).toMatchObject({ turns: 3 });
});

test("erases an agent and no other one, and says who did it", async () => {
  const by = ["--by", "data desk", "--reason", "request 7"];
  const { code, stdout } = await bank.run(["erase", "account/ann", "--yes", ...by]);
  expect(code).toBe(0);
  expect(stdout).toMatch(/^7 messages of account\/ann are erased, up to position \d+\.\n/);
  const { stdout: tail } = await bank.run(["tail", "--until-now", "--from", "1"]);
  expect(tail).toMatch(/account\/ann +erased by data desk · request 7/);
  const balance = ["--module", bankModule, "--json"];
  const { stdout: bob } = await bank.run(["inspect", "account/bob", ...balance]);
  expect(JSON.parse(bob)).toMatchObject({ turns: 3, state: { balance: 3 } });
  const { stdout: asked } = await bank.run(["ask", "account/ann", "deposit", '{"amount":5}']);
  expect(asked).toContain("5");
});

test("has the outcome as JSON, and nothing to do for nobody", async () => {
  const { stdout } = await bank.run(["erase", "account/nobody", "--dry-run", "--json"]);
  expect(JSON.parse(stdout)).toMatchObject({ agent: "account/nobody", done: false, key: false });
  const { stdout: words } = await bank.run(["erase", "account/nobody", "--dry-run"]);
  expect(words).toMatch(/^There is nothing of account\/nobody\.\n/);
  const { stdout: key } = await bank.run(["erase", "customer/42", "--key-only", "--yes"]);
  expect(key).toBe("There is no key of customer/42: nothing is sealed with one.\n");
});

test.each([
  [["erase"], "missing required argument"],
  [["erase", "ann"], "Write an agent as type/key"],
  [["erase", "account/ann", "--key-only", "--dry-run"], "nothing to count"],
])("%j is wrong usage", async (args, why) => {
  const { code, stderr } = await bank.run(args);
  expect(code).toBe(2);
  expect(stderr).toContain(why);
});
