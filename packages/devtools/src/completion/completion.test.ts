/** The scripts in the real shells, where these are installed. */
import { spawnSync } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { runTroupe } from "../../fixtures/troupe-process.ts";

let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "troupe-completion-"));
});
afterAll(() => rm(folder, { recursive: true }));

async function scriptOf(shell: string): Promise<string> {
  const { code, stdout } = await runTroupe(["completion", shell]);
  expect(code).toBe(0);
  const path = join(folder, `troupe.${shell}`);
  await writeFile(path, stdout);
  return path;
}

function run(shell: string, script: string): readonly string[] {
  const { status, stderr, stdout } = spawnSync(shell, ["-c", script], { encoding: "utf8" });
  expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
  return stdout.split("\n").filter((line) => line !== "");
}

function expectWords(
  line: string,
  found: readonly (string | undefined)[],
  { has, not }: { readonly has: readonly string[]; readonly not: readonly string[] },
): void {
  const missing = has.filter((word) => !found.includes(word));
  const wrong = not.filter((word) => found.includes(word));
  expect({ line, missing, wrong }).toEqual({ line, missing: [], wrong: [] });
}

const lines: readonly (readonly [line: string, has: readonly string[], not: readonly string[]])[] =
  [
    ["troupe ", ["dlq", "work", "completion"], ["list", "--json"]],
    ["troupe dl", ["dlq"], ["work"]],
    ["troupe dlq ", ["list", "show", "redrive", "drop"], ["dlq"]],
    ["troupe -s nats://host dlq dr", ["drop"], ["list"]],
    ["troupe --namespace park dlq dr", ["drop"], []],
    ["troupe dlq drop --a", ["--all", "--archive"], ["--json"]],
    ["troupe tail --until", ["--until-now"], ["--until"]],
    ["troupe completion ", ["bash", "zsh", "fish"], []],
    ["troupe tail --namespace d", [], ["dlq", "dev"]],
  ];

describe.skipIf(spawnSync("bash", ["--version"]).status !== 0)("bash", () => {
  test("completes commands and options", async () => {
    const path = await scriptOf("bash");
    for (const [line, has, not] of lines) {
      const words = line.split(" ");
      const found = run(
        "bash",
        `source ${path}; COMP_WORDS=(${words.map((word) => `"${word}"`).join(" ")}); ` +
          `COMP_CWORD=${words.length - 1}; _troupe; printf '%s\\n' "\${COMPREPLY[@]}"`,
      );
      expectWords(line, found, { has, not });
    }
  });
});

describe.skipIf(spawnSync("fish", ["--version"]).status !== 0)("fish", () => {
  test("completes commands and options", async () => {
    const path = await scriptOf("fish");
    for (const [line, has, not] of lines) {
      const shown = run("fish", `source ${path}; complete -C "${line}"`);
      const found = shown.map((each) => each.split("\t")[0]);
      expectWords(line, found, { has, not });
    }
  });
});

describe.skipIf(spawnSync("zsh", ["--version"]).status !== 0)("zsh", () => {
  test("completes commands and options", async () => {
    const path = await scriptOf("zsh");
    for (const [line, has, not] of lines) {
      const words = line.split(" ").map((word) => `"${word}"`);
      const found = run(
        "zsh",
        `compdef() { : }; _files() { : }; ` +
          `_describe() { print -rl -- "\${(@)\${(@P)2}%%:*}" }; source ${path}; ` +
          `words=(${words.join(" ")}); CURRENT=$#words; _troupe`,
      ).filter((word) => word.startsWith(line.split(" ").at(-1) ?? ""));
      expectWords(line, found, { has, not });
    }
  });
});

test("what is no shell is wrong usage", async () => {
  const { code, stderr } = await runTroupe(["completion", "cmd"]);
  expect(code).toBe(2);
  expect(stderr).toContain("Allowed choices are bash, zsh, fish");
});
