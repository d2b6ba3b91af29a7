import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { afterAll, beforeAll, expect, test } from "vitest";
import { startBankSystem } from "../fixtures/bank-system.ts";
import type { BankSystem } from "../fixtures/bank-system.ts";
import { cleanEnvironment, commandLine } from "../fixtures/troupe-process.ts";

const terminalProgram = "script";
const hasScript = spawnSync(terminalProgram, ["--version"]).status === 0;
const isMissing = "util-linux script is not installed, so there is no terminal";

let bank: BankSystem;

beforeAll(async () => {
  bank = await startBankSystem();
  await refused();
});

afterAll(() => bank[Symbol.asyncDispose]());

/** A message that becomes a dead letter; the ask behind it waits for that. */
async function refused(): Promise<void> {
  await bank.run(["send", "account/ann", "withdraw", '{"amount":1}']);
  await bank.run(["ask", "account/ann", "balance"]);
}

/** Run a command on a terminal and type the answer when it asks. */
async function answered(
  command: string,
  answer: string,
): Promise<{ readonly code: unknown; readonly shown: string }> {
  const node = [process.execPath, ...commandLine].map((word) => `'${word}'`).join(" ");
  const child = spawn(terminalProgram, ["-qec", `${node} ${command}`, "/dev/null"], {
    env: cleanEnvironment({ TROUPE_NATS_URL: bank.url, NO_COLOR: "1", TERM: "xterm" }),
    stdio: ["pipe", "pipe", "inherit"],
  });
  let shown = "";
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    if (!shown.includes("[y/N]") && (shown + text).includes("[y/N]")) child.stdin.write(answer);
    shown += text;
  });
  const [code] = (await once(child, "close")) as [unknown];
  child.stdin.destroy();
  return { code, shown };
}

test("many are touched only when somebody agrees", async ({ skip }) => {
  skip(!hasScript, isMissing);
  const declined = await answered("dlq drop --all", "n\n");
  expect(declined.code).toBe(1);
  expect(declined.shown).toContain("Drop 1 dead letter? [y/N]");
  expect(declined.shown).toContain("Nothing was done.");
  const ended = await answered("dlq drop --all", "\u0004");
  expect(ended.shown).toContain("Nothing was done.");
  const interrupted = await answered("dlq drop --all", "\u0003");
  expect(interrupted.code).toBe(130);
  const agreed = await answered("dlq drop --all", "y\n");
  expect(agreed.code).toBe(0);
  expect(agreed.shown).toContain("is dropped.");
});

test("nobody is asked with --yes", async ({ skip }) => {
  skip(!hasScript, isMissing);
  await refused();
  const { code, shown } = await answered("dlq drop --all --yes", "");
  expect(code).toBe(0);
  expect(shown).not.toContain("[y/N]");
  expect(shown).toContain("is dropped.");
});
