/** The examples of the doc comments are compiled, so that none of them shows what is not there. */
import { execFile } from "node:child_process";
import { mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

import { expect, it } from "vitest";

import { doorOfName, examplesOf, moduleOf } from "./snippets/examples.ts";

const run = promisify(execFile);
const root = fileURLToPath(new URL("../", import.meta.url));
/** A folder that git does not look at, and that finds the packages of the repository. */
const folder = join(root, "dist/examples/");
const examples = examplesOf(root);

it("finds the examples", () => {
  expect(examples.length).toBeGreaterThan(100);
});

it("compiles them with the options of this repository", { timeout: 120_000 }, async () => {
  await rm(folder, { recursive: true, force: true });
  await mkdir(folder, { recursive: true });
  const prelude = await readFile(new URL("snippets/prelude.ts", import.meta.url), "utf8");
  const names = [...prelude.matchAll(/^export (?:declare )?const (\w+)/gm)].map(
    ([, name = ""]) => name,
  );
  const doors = doorOfName(root);
  await writeFile(join(folder, "prelude.ts"), prelude);
  for (const [index, example] of examples.entries()) {
    const code = moduleOf(example, doors, new Set(names));
    await writeFile(join(folder, `example-${index}.ts`), code);
  }
  const compilerOptions = {
    noEmit: true,
    incremental: false,
    isolatedDeclarations: false,
    declaration: false,
    composite: false,
    noUnusedLocals: false,
    noUnusedParameters: false,
  };
  const options = { extends: "../../tsconfig.base.json", compilerOptions, include: ["*.ts"] };
  await writeFile(join(folder, "tsconfig.json"), JSON.stringify(options));
  const compiler = join(root, "node_modules/.bin/tsc");
  const compiled = run(compiler, ["-p", folder]).catch((error: unknown) => error);
  expect(await compiled).toMatchObject({ stdout: "", stderr: "" });
});
