import { agent } from "@troupe/core";
import { connect } from "@troupe/jetstream";
import { z } from "zod";
import { afterAll, beforeAll, expect, test } from "vitest";
import { startBankSystem } from "../../fixtures/bank-system.ts";
import type { BankSystem } from "../../fixtures/bank-system.ts";
import { bankModule } from "../../fixtures/troupe-process.ts";

let bank: BankSystem;

beforeAll(async () => {
  bank = await startBankSystem();
  for (const amount of [1, 2, 4]) {
    await bank.run(["ask", "account/ann", "deposit", JSON.stringify({ amount })]);
  }
  await bank.run(["ask", "account/ann", "withdraw", '{"amount":100}']);
});

afterAll(() => bank[Symbol.asyncDispose]());

test("folds the state with the definition that a module exports", async () => {
  const inspected = await bank.run(["inspect", "account/ann", "--module", bankModule, "--json"]);
  expect(inspected.code).toBe(0);
  expect(JSON.parse(inspected.stdout)).toMatchObject({
    agent: "account/ann",
    turns: 4,
    state: { balance: 7 },
    last: [
      { turn: 1, events: [{ type: "deposited", data: { amount: 1 } }], reply: 1, version: "1.2.3" },
      { turn: 2, reply: 3 },
      { turn: 3, reply: 7 },
      { turn: 4, events: [], failure: { code: "rejected" } },
    ],
  });
});

test("shows the state and the last turns", async () => {
  const args = ["inspect", "account/ann", "--module", bankModule, "--last", "2"];
  const { stdout } = await bank.run(args);
  expect(stdout).toContain('State\n{\n  "balance": 7\n}\n');
  expect(stdout).toContain("Last 2 turns");
  expect(stdout).not.toContain("#2 deposit");
  expect(stdout).toMatch(/turn +#3 deposit +deposited \{"amount":4\} · reply 7/);
  expect(stdout).toMatch(/failed +#4 withdraw +rejected: insufficient funds \{"missing":93\}/);
});

test("lists the events without a definition, and says how to see the state", async () => {
  const { code, stdout } = await bank.run(["inspect", "account/ann"]);
  expect(code).toBe(0);
  expect(stdout).toContain("troupe inspect account/ann --module <file>");
  expect(stdout).toContain('deposited {"amount":1}');
  expect(stdout).not.toContain("balance");
});

test("shows the state that was stored, without a definition", async () => {
  const troupe = await connect(bank.url);
  const worker = await troupe.work(tally, { snapshotTurns: 2 });
  for (const _ of [1, 2]) await troupe.agent(tally, "ann").add({});
  await expect.poll(() => troupe.log.snapshot({ type: "tally", key: "ann" })).toBeDefined();
  await troupe.agent(tally, "ann").add({});
  await worker.stop();
  const { stdout } = await bank.run(["inspect", "tally/ann"]);
  expect(stdout).toMatch(
    /^State after turn 2 \(snapshot at \d+; 1 turn came after it\)\n\{\n {2}"count": 2\n\}\n/m,
  );
  const { stdout: json } = await bank.run(["inspect", "tally/ann", "--json"]);
  expect(JSON.parse(json)).toMatchObject({
    turns: 3,
    recorded: { state: { count: 2 }, turn: 2, from: "snapshot" },
  });
  await troupe.close();
});

const tally = agent("tally")
  .state({ count: 0 })
  .event("added", z.object({}), ({ count }) => ({ count: count + 1 }))
  .on("add", z.object({}), (ctx) => ctx.emit.added({}));

test("shows all that a record says", async () => {
  const args = ["inspect", "account/ann", "--last", "1", "--details"];
  const { stdout } = await bank.run(args);
  const times = / {2}accepted [\d:.]+ · received after [\d.]+ m?s .*· took [\d.]+ m?s\n/;
  expect(stdout).toMatch(times);
  expect(stdout).toMatch(/ {2}trace 00-[\da-f]{32}-[\da-f]{16}-01\n/);
  expect(stdout).toMatch(/ {2}code 1\.2\.3 at first, log \w{10}\n/);
  const { last } = JSON.parse((await bank.run([...args, "--json"])).stdout) as {
    readonly last: readonly Readonly<Record<string, unknown>>[];
  };
  expect(last[0]).toMatchObject({ steps: [], sent: [], log: expect.stringMatching(/^\w{10}$/) });
  expect(Date.parse(String(last[0]?.["receivedAt"]))).toBeGreaterThan(0);
});

test("shows it as it was after a turn, or after the message at a position", async () => {
  const lines = (await bank.run(["tail", "--until-now", "--json"])).stdout.trimEnd().split("\n");
  const entries = lines.map((line) => JSON.parse(line) as { kind: string; position: number });
  const [second] = entries.filter(({ kind }) => kind === "message").slice(1);
  const [, turn] = entries.filter(({ kind }) => kind === "turn");
  for (const at of [second?.position, turn?.position]) {
    const args = ["inspect", "account/ann", "--module", bankModule, "--at", String(at)];
    const { stdout } = await bank.run([...args, "--json"]);
    expect(JSON.parse(stdout)).toMatchObject({ at, turns: 2, state: { balance: 3 } });
    const shown = await bank.run(args);
    expect(shown.stdout).toContain(`account/ann  2 turns at position ${at}\n`);
  }
});

test("prints positions as it takes them", async () => {
  await bank.run(["publish", "payments", "shop"], '{"amount":1}\n'.repeat(1000));
  await bank.run(["ask", "account/bob", "deposit", '{"amount":1}']);
  const { stdout } = await bank.run(["inspect", "account/bob", "--module", bankModule]);
  const [, position = ""] = /^[\d:.]+ +(\d{4,}) +turn/m.exec(stdout) ?? [];
  const at = await bank.run(["inspect", "account/bob", "--at", position]);
  expect(at.stdout).toContain(`account/bob  1 turn at position ${position}`);
});

test("shows the initial state of an agent without turns", async () => {
  const { code, stdout } = await bank.run(["inspect", "account/new", "--module", bankModule]);
  expect(code).toBe(0);
  expect(stdout).toContain("account/new  no turns yet");
  expect(stdout).toContain('"balance": 0');
});

test("says of an erased agent when it was erased, and what came since", async () => {
  await bank.run(["ask", "account/eve", "deposit", '{"amount":1}']);
  await bank.run(["ask", "account/eve", "deposit", '{"amount":2}']);
  const erase = ["erase", "account/eve", "--yes", "--by", "data desk", "--reason", "request 7"];
  expect(await bank.run(erase)).toMatchObject({ code: 0 });
  const args = ["inspect", "account/eve", "--module", bankModule];
  const { stdout } = await bank.run(args);
  expect(stdout).toContain("account/eve  no turns since it was erased\n");
  expect(stdout).toMatch(/^Erased on \S+Z by data desk, request 7, after 2 turns\.$/m);
  expect(stdout).toContain('"balance": 0');
  await bank.run(["ask", "account/eve", "deposit", '{"amount":4}']);
  const { stdout: json } = await bank.run([...args, "--json"]);
  expect(JSON.parse(json)).toMatchObject({
    turns: 1,
    erased: { by: "data desk", reason: "request 7", turns: 2 },
    state: { balance: 4 },
    last: [{ turn: 3 }],
  });
  expect((await bank.run(args)).stdout).toContain("account/eve  1 turn\nErased on");
});

test("fails for a type that nobody hosts, and lists the known ones", async () => {
  const { code, stderr } = await bank.run(["inspect", "acount/ann"]);
  expect(code).toBe(1);
  expect(stderr).toContain("there are: account, ledger");
});

test.each([
  [
    ["inspect", "order/1", "--module", bankModule],
    "no agent of the type order; it exports: account",
  ],
  [["inspect", "account/ann", "--module", "nowhere.ts"], "There is no file nowhere.ts"],
  [["inspect", "account"], "type/key"],
  [["inspect", "account/ann", "--last", "many"], "whole number"],
])("%j is wrong usage", async (args, text) => {
  const { code, stderr } = await bank.run(args);
  expect(code).toBe(2);
  expect(stderr).toContain(text);
});
