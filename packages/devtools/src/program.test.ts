import { describe, expect, test } from "vitest";
import { runTroupe } from "../fixtures/troupe-process.ts";

const commands = [
  "dev",
  "work",
  "publish",
  "send",
  "ask",
  "tail",
  "inspect",
  "agents",
  "dlq",
  "park",
  "archive",
  "erase",
];

describe("help", () => {
  test("lists every command and the exit codes", async () => {
    const { code, stdout, stderr } = await runTroupe(["--help"]);
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    for (const command of commands) expect(stdout).toMatch(new RegExp(`^  ${command}\\b`, "m"));
    expect(stdout).toContain("3 no server answers");
  });

  test.each(commands)("of %s has examples and fits 80 columns", async (command) => {
    const { code, stdout } = await runTroupe([command, "--help"]);
    expect(code).toBe(0);
    expect(stdout).toContain(`$ troupe ${command}`);
    expect(Math.max(...stdout.split("\n").map((line) => line.length))).toBeLessThanOrEqual(80);
  });
});

test("without a command shows the help and is wrong usage", async () => {
  const { code, stdout, stderr } = await runTroupe([]);
  expect({ code, stdout }).toEqual({ code: 2, stdout: "" });
  expect(stderr).toContain("Usage: troupe");
});

test("an unknown command is wrong usage, with the likely one", async () => {
  const { code, stderr } = await runTroupe(["tial"]);
  expect(code).toBe(2);
  expect(stderr).toContain("Did you mean tail?");
});

test("an unknown option is wrong usage", async () => {
  expect(await runTroupe(["tail", "--form", "3"])).toMatchObject({ code: 2 });
});

test("shows its version", async () => {
  const { code, stdout } = await runTroupe(["--version"]);
  expect(code).toBe(0);
  expect(stdout).toMatch(/^\d+\.\d+\.\d+\n$/);
});
