import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { stripVTControlCharacters } from "node:util";
import { afterAll, beforeAll, expect, test } from "vitest";
import { startBankSystem } from "../../fixtures/bank-system.ts";
import type { BankSystem } from "../../fixtures/bank-system.ts";
import { cleanEnvironment, commandLine } from "../../fixtures/troupe-process.ts";
import { textWidth } from "./width.ts";

const terminalProgram = "script";
const hasScript = spawnSync(terminalProgram, ["--version"]).status === 0;
const isMissing = "util-linux script is not installed, so there is no terminal";

/** Escape sequence by which Node's readline erases a line. */
const eraseLine = "\u001b[2K";

let bank: BankSystem;
let folder: string;

beforeAll(async () => {
  bank = await startBankSystem();
  folder = await mkdtemp(join(tmpdir(), "troupe-terminal-"));
});

afterAll(async () => {
  await bank[Symbol.asyncDispose]();
  await rm(folder, { recursive: true });
});

/** Runs a command on a terminal of so many columns, and returns what it shows. */
async function onTerminal(
  command: string,
  { columns = 80, env = {} }: { columns?: number; env?: Readonly<Record<string, string>> } = {},
): Promise<string> {
  const node = [process.execPath, ...commandLine].map((word) => `'${word}'`).join(" ");
  const line = `stty cols ${columns} rows 40; ${node} ${command}`;
  const child = spawn(terminalProgram, ["-qec", line, "/dev/null"], {
    env: cleanEnvironment({ TROUPE_NATS_URL: bank.url, TERM: "xterm-256color", ...env }),
    stdio: ["ignore", "pipe", "inherit"],
  });
  let shown = "";
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    shown += text;
  });
  await once(child, "close");
  return shown.replaceAll("\r\n", "\n");
}

test("a reply is pretty", async ({ skip }) => {
  skip(!hasScript, isMissing);
  await bank.run(["ask", "account/ann", "deposit", '{"amount":5}']);
  const shown = await onTerminal(`ask account/ann withdraw '{"amount":1}'`);
  expect(shown).toBe('{\n  "balance": 4\n}\n');
});

test("there is colour, but not with NO_COLOR", async ({ skip }) => {
  skip(!hasScript, isMissing);
  await bank.run(["ask", "account/ann", "balance"]);
  const tail = "tail --until-now";
  expect(await onTerminal(tail)).toContain("\u001b[32mturn");
  expect(await onTerminal(tail, { env: { NO_COLOR: "1" } })).not.toContain("\u001b");
});

test.for([80, 140])("errors are broken between words at %i columns", async (columns, { skip }) => {
  skip(!hasScript, isMissing);
  const shown = await onTerminal("ask acount/ann balance", { columns, env: { NO_COLOR: "1" } });
  const lines = shown.trimEnd().split("\n");
  expect(lines.join(" ")).toContain("there are: account, ledger. Start a worker");
  expect(Math.max(...lines.map(textWidth))).toBeLessThanOrEqual(columns);
});

test.for([80, 140])("progress fits %i columns and leaves no trace", async (columns, { skip }) => {
  skip(!hasScript, isMissing);
  const path = join(folder, "payments.ndjson");
  const payload = JSON.stringify({ amount: 1, note: "发票".repeat(50) });
  await writeFile(path, `${payload}\n`.repeat(20_000));
  const shown = await onTerminal(`publish payments shop < '${path}'`, { columns });
  const frames = shown.split(eraseLine).map((frame) => stripVTControlCharacters(frame));
  expect(frames.length).toBeGreaterThan(1);
  expect(frames[0]).toMatch(/^━*─* +\d+ % {2}[\d,]+ published · [\d,]+\/s · .* left$/);
  expect(Math.max(...frames.map((frame) => textWidth(frame.trimEnd())))).toBeLessThan(columns);
  expect(frames.at(-1)).toMatch(/^Published 20,000 events in .*\n$/);
});
