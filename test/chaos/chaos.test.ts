/** `npm run chaos` in short: a few kills of each sort, and the line it ends with. */
import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

import { expect, test } from "vitest";

import type { RunResult } from "./scenario-result.ts";

const script = fileURLToPath(new URL("main.ts", import.meta.url));
const run = promisify(execFile);

async function chaos(...options: readonly string[]): Promise<RunResult> {
  const args = ["--conditions=troupe-source", script, "--seed", "7", ...options];
  const { stdout } = await run(process.execPath, args, { timeout: 120_000 });
  return JSON.parse(stdout.trimEnd().split("\n").at(-1) ?? "") as RunResult;
}

const nothingBroken = { lost: 0, duplicated: 0, wrong: 0, chargedTwice: 0, findings: [] };

test.concurrent("workers and a broker are killed, and nothing is lost or doubled", async () => {
  const result = await chaos("--only", "single", "--minutes", "0.12", "--json");
  expect(result).toMatchObject({ ...nothingBroken, scenarios: ["single"], seed: 7 });
  expect(result.accepted).toBeGreaterThan(500);
  expect(result.committed).toBe(result.accepted);
  expect(result.workerKills).toBeGreaterThanOrEqual(3);
  expect(result.brokerKills).toBeGreaterThanOrEqual(1);
  expect(result.workerPauses).toBeGreaterThanOrEqual(1);
}, 120_000);

test.concurrent("workers die in mid-charge, and every command is charged once", async () => {
  const result = await chaos("--only", "payment", "--minutes", "0.12", "--json");
  expect(result).toMatchObject({ ...nothingBroken, scenarios: ["payment"] });
  expect(result.workerKills).toBeGreaterThanOrEqual(3);
  expect(result.charges).toBe(result.commands);
  expect(result.committed).toBe(result.commands);
  expect(result.attempts).toBeGreaterThanOrEqual(result.charges);
}, 120_000);

test("what it does not know is answered with its help", async () => {
  await expect(chaos("--only", "meteor")).rejects.toMatchObject({ code: 2 });
  await expect(chaos("--minutes", "0")).rejects.toMatchObject({ code: 2 });
});
