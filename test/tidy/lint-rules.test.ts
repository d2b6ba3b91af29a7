/**
 * The rules that need types or a syntax tree are oxlint's; this shows that its settings can fail.
 */
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { root } from "./tracked-files.ts";

const broken: Readonly<Record<string, string>> = {
  "typescript(no-floating-promises)":
    "async function work(): Promise<void> {}\nexport function start(): void {\n  work();\n}\n",
  "typescript(no-misused-promises)":
    "const work = async (): Promise<boolean> => true;\nexport const a: number = work() ? 1 : 2;\n",
  "typescript(no-explicit-any)": "export const a = (b: any): unknown => b;\n",
  "typescript(switch-exhaustiveness-check)":
    'export function a(b: "c" | "d"): void {\n  switch (b) {\n    case "c":\n  }\n}\n',
  "eslint(max-lines-per-function)": `export function a(b: { c: number }): void {\n${"  b.c += 1;\n".repeat(71)}}\n`,
  "eslint(no-restricted-imports)": 'import { pack } from "msgpackr";\nexport const a = pack;\n',
};

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "troupe-lint-"));
  writeFileSync(join(folder, "tsconfig.json"), '{ "compilerOptions": { "strict": true } }');
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

test.each(Object.entries(broken))("oxlint reports %s", (rule, text) => {
  writeFileSync(join(folder, "broken.ts"), text);
  const options = ["-c", join(root, ".oxlintrc.json"), "--format=json", "broken.ts"];
  const oxlint = join(root, "node_modules/oxlint/bin/oxlint");
  const { stdout, status } = spawnSync(process.execPath, [oxlint, ...options], {
    cwd: folder,
    encoding: "utf8",
  });
  expect(stdout).toContain(`"${rule}"`);
  expect(status).toBe(1);
});
