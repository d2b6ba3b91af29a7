/** The documentation says what the code does: its programs are compiled, and they run. */
import { execFile } from "node:child_process";
import { mkdir, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

import { beforeAll, describe, expect, it, test } from "vitest";

import type { Program } from "./snippets/programs.ts";
import { readPrograms } from "./snippets/read-pages.ts";
import { addressFromEnvironment, runProgram, runPrograms } from "./snippets/run-program.ts";

const run = promisify(execFile);
const root = new URL("../", import.meta.url);
const source = "--conditions=troupe-source";
/** A folder that git does not look at, and that finds the packages of the repository. */
const folder = fileURLToPath(new URL("dist/snippets/", root));
const timeout = 120_000;

const programs = await readPrograms();
const ofPages = programs.filter(({ file }) => file === undefined);

const pathOf = ({ name }: Program): string => join(folder, `${name}.ts`);

beforeAll(async () => {
  await rm(folder, { recursive: true, force: true });
  await mkdir(folder, { recursive: true });
  for (const program of programs) {
    await writeFile(pathOf(program), addressFromEnvironment(program.code));
  }
});

it("has programs", () => {
  expect(ofPages.length).toBeGreaterThan(8);
  const names = programs.map(({ name }) => name);
  expect(names).toEqual([...new Set(names)]);
});

it("shows exactly what is in the files that it names", async () => {
  const files = programs.filter(({ file }) => file !== undefined);
  expect(files.length).toBeGreaterThan(1);
  for (const { file = "", code } of files) {
    expect(code).toBe(await readFile(new URL(file, root), "utf8"));
  }
});

it("compiles with the options of this repository", { timeout }, async () => {
  const options = {
    extends: "../../tsconfig.base.json",
    compilerOptions: {
      noEmit: true,
      incremental: false,
      noUnusedLocals: false,
      noUnusedParameters: false,
    },
    include: ["*.ts"],
  };
  await writeFile(join(folder, "tsconfig.json"), JSON.stringify(options));
  const compiler = fileURLToPath(new URL("node_modules/.bin/tsc", root));
  const compiled = run(compiler, ["-p", folder]).catch((error: unknown) => error);
  expect(await compiled).toMatchObject({ stdout: "", stderr: "" });
});

describe("a page's program runs, and prints nothing on the error stream", () => {
  const runs = ofPages.filter((program) => program.runs);
  let printed: ReadonlyMap<string, string>;
  beforeAll(async () => {
    printed = await runPrograms(runs.map(pathOf), [source]);
  }, 10 * timeout);

  test.for(runs)("$name", (program) => {
    expect(printed.get(pathOf(program))).toBe("");
  });
});

const ordered = /^order: paid\n\[ '2 of lamp-\w+, 8 left' \]\n$/;
const reviewed = /^\{ lines: 2, best: 6 \}\n\{ lines: 2, best: 6 \}\n$/;

/** Output of the programs of the tutorial, in their first and in their second run on one broker. */
const tutorial = [
  [
    "01-first-agent.ts",
    /^alice has 5\n1 deposit \{ balance: 5 \}\n$/,
    /^alice has 10\n1 deposit \{ balance: 5 \}\n2 deposit \{ balance: 10 \}\n$/,
  ],
  ["02-orders.ts", ordered, ordered],
  ["03-pipeline.ts", reviewed, reviewed],
] as const;

it("knows every program of the tutorial", async () => {
  const files = await readdir(new URL("packages/examples/tutorial/", root));
  expect(tutorial.map(([file]) => file)).toEqual(files.toSorted());
});

describe("a program of the tutorial runs twice in a row on one broker", () => {
  test.for(tutorial)("%s", { timeout }, async ([file, ...expected]) => {
    const path = fileURLToPath(new URL(`packages/examples/tutorial/${file}`, root));
    const printed = await runProgram(path, [source], 2);
    for (const [index, { stdout, stderr }] of printed.entries()) {
      expect(stdout).toMatch(expected[index] ?? "");
      expect(stderr).toBe("");
    }
  });
});

it("declares the first agent in fewer than 15 lines and without a type annotation", () => {
  const first = programs.find(({ name }) => name === "01-first-agent");
  const declaration = /export const account = .*?;\n(?=\n)/s.exec(first?.code ?? "")?.[0] ?? "";
  expect(declaration).not.toBe("");
  expect(declaration.split("\n").length).toBeLessThan(15);
  expect(declaration).not.toMatch(/: (?:string|number|unknown)|<[A-Z]/);
});
