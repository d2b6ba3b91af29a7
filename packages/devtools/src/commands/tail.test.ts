import { textWidth } from "../terminal/width.ts";
import { afterAll, beforeAll, expect, test } from "vitest";
import { startBankSystem } from "../../fixtures/bank-system.ts";
import type { BankSystem } from "../../fixtures/bank-system.ts";
import { runTroupe } from "../../fixtures/troupe-process.ts";

let bank: BankSystem;

beforeAll(async () => {
  bank = await startBankSystem();
  const letter = {
    amount: 2,
    备注: "您好，我想查询一下我的账户余额和最近三个月的交易明细🙂👨‍👩‍👧，谢谢！".repeat(3),
  };
  await bank.run(["ask", "account/王小明", "deposit", JSON.stringify(letter)]);
  await bank.run(["send", "account/bob", "withdraw", '{"amount":1}']);
  await bank.worker.shows("dead");
  await bank.run(["publish", "payments", "\u001b[31mred", '{"amount":"wrong \\u009b2J"}']);
});

afterAll(() => bank[Symbol.asyncDispose]());

interface TailedLine {
  readonly kind: string;
  readonly position: number;
  readonly agent?: string;
  readonly topic?: string;
}

async function tailed(args: readonly string[]): Promise<readonly TailedLine[]> {
  const { code, stdout } = await bank.run(["tail", "--until-now", "--json", ...args]);
  expect(code).toBe(0);
  return stdout
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => JSON.parse(line) as TailedLine);
}

test("shows messages, turns and dead letters in the order of the log", async () => {
  const lines = await tailed(["--type", "account"]);
  expect(lines.map(({ kind, agent }) => `${kind} ${agent}`)).toEqual([
    "message account/王小明",
    "turn account/王小明",
    "message account/bob",
    "turn account/bob",
    "dead-letter account/bob",
  ]);
  expect(lines).toEqual(lines.toSorted((a, b) => a.position - b.position));
});

test("shows only topics when only topics are asked for", async () => {
  const lines = await tailed(["--topic", "payments", "other"]);
  expect(lines.map(({ kind, topic }) => `${kind} ${topic}`)).toEqual(["topic payments"]);
});

test("starts at a position", async () => {
  const [first, second] = await tailed([]);
  const rest = await tailed(["--from", String(second?.position)]);
  expect(rest[0]).toEqual(second);
  expect(first).not.toEqual(second);
});

test.each([80, 140])("fits %i columns, also with wide characters", async (columns) => {
  const { stdout } = await runTroupe(["tail", "--until-now"], {
    env: { TROUPE_NATS_URL: bank.url, COLUMNS: String(columns) },
  });
  const widths = stdout.trimEnd().split("\n").map(textWidth);
  expect(Math.max(...widths)).toBeLessThanOrEqual(columns);
  expect(Math.max(...widths)).toBeGreaterThan(columns - 3);
});

test("writes control characters of others as escapes", async () => {
  const { stdout } = await bank.run(["tail", "--until-now"]);
  // oxlint-disable-next-line no-control-regex -- what must not be there.
  expect(stdout).not.toMatch(/[\u001b\u009b]/);
  expect(stdout).toContain(String.raw`payments/\u001b[31mred`);
});

test("follows what happens from now on and ends on Ctrl-C", async () => {
  await using watching = bank.start(["tail", "--type", "account", "--json"]);
  // Following starts at some moment: messages are sent until one of them is seen.
  const seen = watching.shows('"kind":"turn"').then(() => true);
  while (
    !(await Promise.race([seen, bank.run(["ask", "account/live", "balance"]).then(() => false)]))
  );
  const ended = await watching.end("SIGINT");
  expect(ended.code).toBe(0);
});

test("ends quietly when nobody reads its output any more", async () => {
  await using watching = bank.start(["tail", "--from", "start"]);
  await watching.shows("account/bob");
  watching.child.stdout.destroy();
  await bank.run(["ask", "account/live", "balance"]);
  const { code, stderr } = await watching.finished;
  expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
});

test.each([
  [["tail", "--from", "yesterday"], "a position, start or new"],
  [["tail", "--topic", "a.>"], "is no usable name (topic)"],
  [["tail", "--type", "*"], "is no usable name (agent type)"],
])("%j is wrong usage", async (args, text) => {
  const { code, stderr } = await bank.run(args);
  expect(code).toBe(2);
  expect(stderr).toContain(text);
});
