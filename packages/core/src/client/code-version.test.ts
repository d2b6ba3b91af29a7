import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { afterAll, expect, test } from "vitest";

import { noVersion, versionOf } from "./code-version.ts";

const root = mkdtempSync(join(tmpdir(), "troupe-version-"));
afterAll(() => rmSync(root, { recursive: true }));

function file(path: string, content = ""): string {
  const full = join(root, path);
  mkdirSync(join(full, ".."), { recursive: true });
  writeFileSync(full, content);
  return full;
}

// Directories above the temporary one are not asked.
file("package.json", "{}");
file("app/package.json", '{"name":"shop","version":"1.4.2"}');
file("bare/package.json", '{"private":true}');
file("broken/package.json", "{");
const nowhere = join(root, "nowhere");

test("is that of the nearest package above the entry point", () => {
  expect(versionOf(file("app/dist/src/main.js"), nowhere)).toBe("1.4.2");
});

test("is that of the working directory when a tool runs the program", () => {
  file("app/node_modules/tool/package.json", '{"name":"tool","version":"9.0.0"}');
  file("ours/package.json", '{"name":"@troupe/devtools","version":"0.1.0"}');
  for (const entry of ["app/node_modules/tool/run.js", "ours/src/main.ts"]) {
    expect(versionOf(file(entry), join(root, "app", "dist"))).toBe("1.4.2");
  }
  expect(versionOf(undefined, join(root, "app"))).toBe("1.4.2");
});

test("is unknown when nobody says it", () => {
  expect(versionOf(file("bare/main.js"), nowhere)).toBe(noVersion);
  expect(versionOf(file("broken/main.js"), join(root, "bare"))).toBe(noVersion);
});
