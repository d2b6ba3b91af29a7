/** Text of others in every command: it is seen, and does nothing to the terminal. */
import { printable } from "@troupe/core/operate";
import { afterAll, beforeAll, expect, test } from "vitest";
import { startBankSystem } from "../fixtures/bank-system.ts";
import type { BankSystem } from "../fixtures/bank-system.ts";
import { TroupeProcess, bankModule } from "../fixtures/troupe-process.ts";

/** Clears the screen, reorders, hides, piles up, ends the line and forges one. */
const nasty = `k\u001b[2J\u009b2K\u202e\u2066z\u200b\u00ad\ufeff\u{e0041}o\u0301\u0302\u0303\u0304\u0305\r\nerror: no\u2028x`;
const longer = nasty + "\u0007é".repeat(3000);
const agent = `account/${nasty}`;

let bank: BankSystem;

beforeAll(async () => {
  bank = await startBankSystem();
  // A worker whose name is of this kind, too.
  const env = { TROUPE_NATS_URL: bank.url };
  const second = new TroupeProcess(["work", bankModule, "--id", nasty], { env });
  await second.shows("holds");
  await second.end("SIGTERM");
  expectSeen(second.stdout + second.stderr);
  for (const args of [
    ["send", agent, "deposit", JSON.stringify({ amount: longer })],
    ["send", agent, "deposit", JSON.stringify({ amount: 5, [nasty]: longer })],
    ["send", agent, nasty, "{}"],
    ["publish", "payments", nasty, JSON.stringify({ amount: 1, note: longer })],
    ["publish", "payments", nasty, JSON.stringify({ amount: nasty })],
    ["send", agent, "withdraw", '{"amount":1000000}'],
  ]) {
    const { stdout, stderr } = await bank.run(args);
    expectSeen(stdout + stderr);
  }
}, 60_000);

afterAll(() => bank[Symbol.asyncDispose]());

test.concurrent.each([
  [["tail", "--until-now"]],
  [["inspect", agent, "--module", bankModule]],
  [["dlq", "list"]],
  [["agents"]],
  [["ask", agent, "withdraw", '{"amount":1000000}']],
  [["send", agent, "deposit", `{"amount":${nasty}`]],
  [["inspect", nasty]],
  [["inspect", agent, "--module", nasty]],
  [["tail", "--from", nasty]],
  [["tail", "--server", `nats://${nasty}`]],
  [["publish", "payments", "--source-field", nasty]],
])("%j shows everything that is in it, also as JSON", async (args) => {
  const input = `{"${nasty}`;
  const [shown, asJson] = await Promise.all([
    bank.run(args, input),
    bank.run([...args, "--json"], input),
  ]);
  expectSeen(shown.stdout + shown.stderr);
  expectSeen(asJson.stdout + asJson.stderr);
  const lines = (asJson.stdout + asJson.stderr).trimEnd().split("\n");
  for (const line of lines) expect(() => JSON.parse(line)).not.toThrow();
});

test("every dead letter can be shown", async () => {
  const { stdout } = await bank.run(["dlq", "list", "--json"]);
  const letters = stdout
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line) as { position: number });
  expect(letters.length).toBeGreaterThanOrEqual(3);
  const showing = letters.map(({ position }) => bank.run(["dlq", "show", String(position)]));
  for (const shown of await Promise.all(showing)) {
    expectSeen(shown.stdout + shown.stderr);
    expect(shown.stdout).toContain(printable(nasty).slice(0, 20));
  }
});

test("so does what the worker shows", () => {
  expect(bank.worker.stdout).toContain("\\u202e");
  expectSeen(bank.worker.stdout + bank.worker.stderr);
});

/** Line ends are ours, and no line of others begins one. */
function expectSeen(text: string): void {
  for (const line of text.split("\n")) expect(printable(line)).toBe(line);
  expect(text).not.toMatch(/^error: no(?!t| )/m);
}
