/**
 * The way in for somebody who has nothing but the published packages and the pages: packed tarballs
 * in fresh projects outside of this repository.
 *
 * The short form, in every run of the tests, follows "getting started" command by command; what the
 * pages say is compiled from source by test/readme.test.ts. `npm run packed` is the whole of it:
 * ECMAScript modules and CommonJS, TypeScript 5.9 and 7, and every program runs in each.
 */
import { execFile } from "node:child_process";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";

import { afterAll, beforeAll, describe, expect, test } from "vitest";

import type { Program } from "../snippets/programs.ts";
import { readPrograms } from "../snippets/read-pages.ts";
import { addressFromEnvironment, runProgram } from "../snippets/run-program.ts";
import { cleanEnvironment, registryAnswers, type Said } from "./npm.ts";
import { packAll, publicPackages } from "./packages.ts";
import { makeProject, tarballsOf, type Project, type ProjectKind } from "./project.ts";
import { walk, type Typed } from "./walk.ts";

const run = promisify(execFile);
const root = new URL("../../", import.meta.url);
const timeout = 900_000;
const whole = process.env["TROUPE_PACKED"] === "whole";
/** Packages that the pages take from npm beside us; the versions are those of this repository. */
const beside = ["zod@4", "@types/node@24", ...(whole ? ["@electric-sql/pglite@0.5"] : [])];
/** Below the ports that systems give to outgoing connections; others take theirs at random. */
const portOfWalk = 19_421;

const programs = await readPrograms();
/** Imports that the compiler makes calls of `require`. */
const inCommonJs: Program = {
  name: "in-common-js",
  page: "",
  file: undefined,
  runs: true,
  code: `import { agent } from "@troupe/core";
import { connect } from "@troupe/jetstream";
import { z } from "zod";

const desk = agent("desk").on("hello", z.object({ name: z.string() }), (_, { name }) => name.length);

async function main(): Promise<void> {
  await using troupe = await connect(process.env["TROUPE_NATS_URL"] ?? "");
  await troupe.work(desk);
  if ((await troupe.agent(desk, "one").hello({ name: "Ada" })) !== 3) throw new Error("not Ada");
}

void main();
`,
};
const packages = await publicPackages();
/** On a machine that checks every change, no registry is a failure like any other. */
const skipped = process.env["CI"] !== "true" && !(await registryAnswers());
let folder: string;
let tarballs: ReadonlyMap<string, string>;
let settings: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "troupe-packed-"));
  tarballs = await packAll(folder);
  const page = await readFile(new URL("docs/getting-started.md", root), "utf8");
  settings = /^```json save=tsconfig.json\n(.*?)^```$/ms.exec(page)?.[1] ?? "";
}, timeout);
afterAll(() => rm(folder, { recursive: true, force: true }));

describe("a published package", () => {
  test.for(packages)("$name has what it needs and nothing else", async ({ name }) => {
    const { stdout } = await run("tar", ["tzf", tarballs.get(name) ?? ""]);
    const files = stdout.trim().split("\n");
    const inIt = ["package/package.json", "package/README.md", "package/LICENSE"];
    expect(files).toEqual(expect.arrayContaining(inIt));
    expect(files.filter((file) => /\.test\.|tsbuildinfo|fixtures|\.contract\./.test(file))).toEqual(
      [],
    );
  });
});

describe.skipIf(skipped)("getting started, command by command", () => {
  let typed: readonly Typed[] = [];
  beforeAll(async () => {
    const page = await readFile(new URL("docs/getting-started.md", root), "utf8");
    typed = await walk(page, {
      folder,
      port: portOfWalk,
      replaceInstall: (names) => tarballsOf(names, packages, tarballs),
    });
  }, timeout);

  test("every command ends well, and npm warns of nothing", () => {
    expect(typed.filter(({ code }) => code !== 0)).toEqual([]);
    const installs = typed.filter(({ command }) => command.startsWith("npm install"));
    expect(installs.length).toBeGreaterThan(1);
    for (const { output } of installs) expect(output).not.toMatch(/warn|deprecated/i);
  });

  test.for([
    ["npx tsc", /^$/],
    ["node account.ts", /^balance: 5\n$/],
    ["npx troupe ask account/alice", /^12\n$/],
    ["npx troupe inspect", /deposit/],
    ["npx troupe agents", /account/],
    ["node --test account.test.ts", /pass 1\n/],
    ["node desk.cjs", /^Hi Ada\n$/],
  ] as const)("%s prints what the page says", ([command, expected]) => {
    const found = typed.filter((each) => each.command.startsWith(command));
    expect(found).toMatchObject([{ output: expect.stringMatching(expected) as unknown }]);
  });
});

const kinds: readonly (readonly [string, ProjectKind, boolean])[] = [
  ["ECMAScript modules, TypeScript 7", { type: "module", installs: ["typescript@7"] }, whole],
  ["ECMAScript modules, TypeScript 5.9", { type: "module", installs: ["typescript@5.9"] }, whole],
  ["CommonJS, TypeScript 7", { type: "commonjs", installs: ["typescript@7"] }, whole],
  ["CommonJS, TypeScript 5.9", { type: "commonjs", installs: ["typescript@5.9"] }, whole],
];

describe.skipIf(skipped).for(kinds.filter(([, , wanted]) => wanted))("%s", ([name, kind]) => {
  let project: Project;
  /** A CommonJS module cannot wait at its top level, as the programs of the pages do. */
  const ours = kind.type === "module" ? programs : [inCommonJs];

  beforeAll(async () => {
    const more = { ...kind, installs: [...kind.installs, ...beside] };
    const path = join(folder, name.replaceAll(/\W+/g, "-"));
    project = await makeProject(path, more, ofApplications(tarballs));
    await writeFile(join(project.path, "tsconfig.json"), settings);
    for (const program of ours) {
      await writeFile(pathIn(project, program), addressFromEnvironment(program.code));
    }
  }, timeout);

  test("npm warns of nothing", () => {
    expect(project.said.stderr).toBe("");
    expect(project.said.stdout).not.toMatch(/warn|deprecated/i);
  });

  test("every entry can be loaded", { timeout }, async () => {
    const entries = packages.flatMap((each) => each.entries).filter((each) => !needsMore(each));
    const load = kind.type === "module" ? loadModules(entries) : loadCommonJs(entries);
    await writeFile(join(project.path, "load.js"), load);
    expect(await runIn(project, process.execPath, ["load.js"])).toEqual({ stdout: "", stderr: "" });
  });

  test(
    "every program compiles with the options of the page, libraries included",
    { timeout },
    async () => {
      await writeFile(
        join(project.path, "entries.ts"),
        typesOf(packages.flatMap((p) => p.entries)),
      );
      const compiled = compile(project, ["--skipLibCheck", "false", ...asThePageSays(kind)]).catch(
        (error: unknown) => error,
      );
      expect(await compiled).toMatchObject({ stdout: "", stderr: "" });
    },
  );

  test.for(whole ? ours.filter(({ runs }) => runs) : [])(
    "$name runs",
    { timeout },
    async (program) => {
      const compiler = ["--outDir", "out", "--noEmit", "false", ...asThePageSays(kind)];
      if (kind.type === "commonjs") await compile(project, compiler);
      const path =
        kind.type === "module"
          ? pathIn(project, program)
          : join(project.path, "out", `${program.name}.js`);
      const [printed] = await runProgram(path);
      expect(printed?.stderr).toBe("");
    },
  );
});

/** The options that "getting started" takes back for CommonJS. */
function asThePageSays({ type }: ProjectKind): string[] {
  const off = ["--verbatimModuleSyntax", "--allowImportingTsExtensions"];
  return type === "module" ? [] : off.flatMap((option) => [option, "false"]);
}

function compile(project: Project, parameters: readonly string[]): Promise<Said> {
  const compiler = join("node_modules", "typescript", "bin", "tsc");
  return runIn(project, process.execPath, [compiler, "-p", ".", ...parameters]);
}

/** The contract suites are for makers of logs, and need vitest, which nobody else does. */
const needsMore = (entry: string): boolean => entry === "@troupe/contracts";

const ofApplications = (all: ReadonlyMap<string, string>): string[] =>
  [...all].filter(([name]) => !needsMore(name)).map(([, path]) => path);

const pathIn = (project: Project, { name }: Program): string => join(project.path, `${name}.ts`);

const loadModules = (entries: readonly string[]): string =>
  entries.map((entry) => `await import("${entry}");\n`).join("");

const loadCommonJs = (entries: readonly string[]): string =>
  entries.map((entry) => `require("${entry}");\n`).join("");

const typesOf = (entries: readonly string[]): string =>
  entries
    .filter((entry) => !needsMore(entry))
    .map((entry, index) => `export * as e${index} from "${entry}";\n`)
    .join("");

async function runIn(
  { path }: Project,
  program: string,
  parameters: readonly string[],
): Promise<Said> {
  const { stdout, stderr } = await run(program, parameters, { cwd: path, env: cleanEnvironment() });
  return { stdout, stderr };
}
