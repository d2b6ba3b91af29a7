import { open, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { afterAll, beforeAll, expect, test } from "vitest";
import { startBankSystem } from "../../fixtures/bank-system.ts";
import type { BankSystem } from "../../fixtures/bank-system.ts";
import { bankModule, cleanEnvironment, commandLine } from "../../fixtures/troupe-process.ts";

interface InspectedLedger {
  readonly turns: number;
  readonly state: { readonly payments: number; readonly total: number };
}

let bank: BankSystem;

beforeAll(async () => {
  bank = await startBankSystem();
});

afterAll(() => bank[Symbol.asyncDispose]());

/**
 * The ledger when it has handled so many payments; asked again and again, because a turn comes
 * later than its event.
 */
async function ledgerAfter(key: string, payments: number): Promise<InspectedLedger> {
  for (;;) {
    const args = ["inspect", `ledger/${key}`, "--module", bankModule, "--json", "--last", "0"];
    const inspected = await bank.run(args);
    expect(inspected).toMatchObject({ code: 0 });
    const ledger = JSON.parse(inspected.stdout) as InspectedLedger;
    if (ledger.turns >= payments) return ledger;
  }
}

test("publishes one event", async () => {
  const published = await bank.run(["publish", "payments", "one", '{"amount":3}']);
  expect(published.code).toBe(0);
  expect(published.stdout).toMatch(/^Published on payments at position \d+\.\n$/);
  expect((await ledgerAfter("one", 1)).state).toEqual({ payments: 1, total: 3 });
});

test("publishes every line, each once, in the order of the lines, however often it is run", async () => {
  const lines = Array.from({ length: 1000 }, (_, index) => {
    return JSON.stringify({ id: `line-${index}`, shop: { name: "商店" }, amount: index });
  });
  const args = ["publish", "payments", "--source-field", "shop.name", "--id-field", "id", "--json"];
  const first = await bank.run(args, `\u{feff}${lines.join("\r\n")}\n\n`);
  const again = await bank.run(args, lines.join("\n"));
  expect(first).toMatchObject({ code: 0, stderr: "" });
  expect(JSON.parse(first.stdout)).toMatchObject({ published: 1000, duplicates: 0, failed: 0 });
  expect(JSON.parse(again.stdout)).toMatchObject({ published: 1000, duplicates: 1000, failed: 0 });
  expect((await ledgerAfter("商店", 1000)).state).toEqual({ payments: 1000, total: 499_500 });

  const tailed = await bank.run(["tail", "--topic", "payments", "--until-now", "--json"]);
  const entries = tailed.stdout
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line) as { source: string; payload: { amount: number } });
  const amounts = entries
    .filter(({ source }) => source === "商店")
    .map((each) => each.payload.amount);
  expect(amounts).toEqual(lines.map((_, index) => index));
  expect((await bank.run(["ask", "account/still-alive", "balance"])).stdout).toBe("0\n");
});

test("reports a bad line with its number and goes on with the rest", async () => {
  const input = '{"amount":1,"of":"bad"}\n{amount\n{"amount":2}\n[]\n{"amount":4,"of":"bad"}';
  const published = await bank.run(["publish", "payments", "--source-field", "of"], input);
  expect(published.code).toBe(1);
  expect(published.stdout).toMatch(/^Published 2 events, 3 failed in /);
  expect(published.stderr.match(/^line \d+/gm)).toEqual(["line 2", "line 3", "line 4"]);
  expect(published.stderr).toContain("line 3: it has no text or number at of for the source");
  expect((await ledgerAfter("bad", 2)).state).toEqual({ payments: 2, total: 5 });
});

test("stops at the first bad line when it is strict", async () => {
  const input = '{"amount":1}\n{amount\n{"amount":2}\n';
  const args = ["publish", "payments", "strict", "--strict", "--json", "--in-flight", "1"];
  const published = await bank.run(args, input);
  expect(published.code).toBe(1);
  expect(JSON.parse(published.stdout)).toMatchObject({ published: 1, failed: 1 });
});

test("reports a line that is too long without keeping it in memory", async () => {
  const input = `{"amount":1}\n"${"x".repeat(5_000_000)}"\n{"amount":2}\n`;
  const published = await bank.run(["publish", "payments", "long", "--json"], input);
  expect(JSON.parse(published.stdout)).toMatchObject({ published: 2, failed: 1 });
  expect(published.stderr).toMatch(
    /^\{"line":2,"error":"the line has 5000002 bytes, at most \d+ are allowed"\}\n$/,
  );
});

test("reads a file that is redirected into it", async () => {
  const folder = await mkdtemp(join(tmpdir(), "troupe-publish-"));
  const path = join(folder, "payments.ndjson");
  await writeFile(path, '{"amount":1}\n{"amount":2}\n');
  const file = await open(path);
  try {
    const child = spawn(process.execPath, [...commandLine, "publish", "payments", "file"], {
      env: cleanEnvironment({ TROUPE_NATS_URL: bank.url }),
      stdio: [file.fd, "ignore", "ignore"],
    });
    expect(await once(child, "exit")).toEqual([0, null]);
    expect((await ledgerAfter("file", 2)).state).toEqual({ payments: 2, total: 3 });
  } finally {
    await file.close();
    await rm(folder, { recursive: true });
  }
});

test("on Ctrl-C waits for what is on its way, says how much it was, and ends", async () => {
  const child = spawn(process.execPath, [...commandLine, "publish", "payments", "cut", "--json"], {
    env: cleanEnvironment({ TROUPE_NATS_URL: bank.url }),
    stdio: ["pipe", "pipe", "ignore"],
  });
  child.stdin.write('{"amount":1}\n');
  await ledgerAfter("cut", 1);
  child.kill("SIGINT");
  const [summary] = (await once(child.stdout, "data")) as [Buffer];
  expect(JSON.parse(summary.toString())).toMatchObject({ published: 1, failed: 0 });
  expect(await once(child, "exit")).toEqual([130, null]);
});

test.each([
  [["publish", "payments"], "Give either a source or --source-field"],
  [["publish", "payments", "x", "--source-field", "y"], "Give either a source or --source-field"],
  [["publish", "pay.ments", "x", "1"], "is no usable name (topic)"],
  [["publish", "payments", "x", "{"], "The payload is not JSON"],
  [["publish", "payments", "x", "1", "--id-field", "id"], "use --id here"],
  [["publish", "payments", "x", "--id", "id"], "use --id-field"],
  [["publish", "payments", "x", "--in-flight", "0"], "whole number from 1 to 10000"],
])("%j is wrong usage", async (args, text) => {
  const published = await bank.run(args);
  expect(published).toMatchObject({ code: 2, stdout: "" });
  expect(published.stderr).toContain(text);
});
