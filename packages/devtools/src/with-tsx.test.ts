/** Modules that Node does not run by erasing types, with and without a tsx in the project. */
import { mkdir, mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, expect, test } from "vitest";
import { startBankSystem, type BankSystem } from "../fixtures/bank-system.ts";

let folder: string;
let bank: BankSystem;

const enums = `import { agent } from "./dep.js";
enum Kind { Opened = "opened" }
export const account = agent("account").state({ kind: Kind.Opened });`;

/**
 * Stand-in for tsx: it transforms TypeScript and finds sources, as tsx does, with what Node has for
 * it.
 */
const standIn = `import { existsSync } from "node:fs";
import { registerHooks, stripTypeScriptTypes } from "node:module";
import { fileURLToPath } from "node:url";
import { readFileSync } from "node:fs";
export function register() {
  registerHooks({
    resolve(specifier, context, next) {
      const source = specifier.replace(/\\.js$/, ".ts");
      const isOurs = specifier.startsWith("./") && existsSync(new URL(source, context.parentURL));
      return next(isOurs ? source : specifier, context);
    },
    load(url, context, next) {
      if (!url.endsWith(".ts") || url.includes("/packages/")) return next(url, context);
      const source = stripTypeScriptTypes(readFileSync(fileURLToPath(url), "utf8"), { mode: "transform" });
      return { format: "module", source, shortCircuit: true };
    },
  });
}`;

beforeAll(async () => {
  bank = await startBankSystem();
  await bank.run(["ask", "account/ann", "deposit", '{"amount":5}']);
  folder = await mkdtemp(join(tmpdir(), "troupe-tsx-"));
  for (const name of ["with", "without"]) {
    await file(`${name}/package.json`, '{ "type": "module" }');
    await file(`${name}/agents.ts`, enums);
    await file(`${name}/dep.ts`, 'export { agent } from "@troupe/core";');
    await mkdir(join(folder, name, "node_modules", "@troupe"), { recursive: true });
    const core = fileURLToPath(new URL("../../core", import.meta.url));
    await symlink(core, join(folder, name, "node_modules", "@troupe", "core"));
  }
  await file("with/node_modules/tsx/package.json", '{ "exports": { "./esm/api": "./api.mjs" } }');
  await file("with/node_modules/tsx/api.mjs", standIn);
});
afterAll(async () => {
  await bank[Symbol.asyncDispose]();
  await rm(folder, { recursive: true });
});

async function file(path: string, text: string): Promise<void> {
  await mkdir(dirname(join(folder, path)), { recursive: true });
  await writeFile(join(folder, path), text);
}

test("is loaded through the tsx of the project", async () => {
  const path = join(folder, "with", "agents.ts");
  const { stderr } = await bank.run(["inspect", "account/ann", "--module", path]);
  // The module has no events, so it was imported and could not fold the journal.
  expect(stderr).toContain("deposited");
  expect(stderr).not.toContain("cannot be imported");
});

test("without one it is said what to do", async () => {
  const path = join(folder, "without", "agents.ts");
  const { code, stderr } = await bank.run(["inspect", "account/ann", "--module", path]);
  expect(code).toBe(1);
  expect(stderr).toContain("npm install --save-dev tsx");
});

test("an import that names the compiled file is one of them", async () => {
  const path = join(folder, "without", "plain.ts");
  await file("without/plain.ts", 'export { agent } from "./dep.js";');
  const { stderr } = await bank.run(["inspect", "account/ann", "--module", path]);
  expect(stderr).toContain("npm install --save-dev tsx");
});
