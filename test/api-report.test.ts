/** The reports in `api/` tell what users can see of a package, and nothing else. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { afterAll, expect, test } from "vitest";

import { reportOf } from "../scripts/api-report.ts";

const folder = mkdtempSync(join(tmpdir(), "troupe-api-"));
afterAll(() => rmSync(folder, { recursive: true }));

let count = 0;

/** The report on an entry point `index`, made of these declaration files. */
function report(files: Readonly<Record<string, string>>): string {
  const path = join(folder, `${count++}-`);
  for (const [name, text] of Object.entries(files)) {
    writeFileSync(`${path}${name}.d.ts`, text.replaceAll("./", `./${count - 1}-`));
  }
  return reportOf({ name: "@troupe/x", file: `${path}index.d.ts` }, new Set());
}

const engine = `import type { Part } from "./part.ts";
/** Runs. */
export interface Engine {
    /** Part that it runs. */
    readonly part: Part;
}
interface Unseen {
    readonly never: true;
}
`;

test("what an entry point exports is told without its comments, and what is seen through it", () => {
  const text = report({
    index: `export { type Engine } from "./engine.ts";\n`,
    engine,
    part: `export type Part = "one" | "two";\n`,
  });
  expect(text).toBe(`# @troupe/x: 1 names

interface Engine {
    readonly part: Part;
}

# Not exported, but seen through what is

type Part = "one" | "two";
`);
});

test.each([
  ["a parameter", "run(speed: number): void;", "run(speed?: number): void;"],
  ["a field", "readonly code = 1;", "readonly code = 2;"],
])("a change of %s is a change of the text", (_, before, after) => {
  const one = (line: string): string =>
    report({ index: `export declare class Engine {\n    ${line}\n}\n` });
  expect(one(before)).not.toBe(one(after));
});

test("a change of a type behind an exported one is a change of the text", () => {
  const one = (part: string): string =>
    report({ index: `export * from "./engine.ts";\n`, engine, part });
  expect(one("export type Part = 1;\n")).not.toBe(one("export type Part = 2;\n"));
});

test("comments and private members are nobody's business", () => {
  const bare = report({ index: "export declare class Engine {\n    run(): void;\n}\n" });
  const full = report({
    index:
      "/** Runs. */\nexport declare class Engine {\n    #private;\n    private readonly speed;\n    /** Go. */\n    run(): void;\n}\n",
  });
  expect(full).toBe(bare);
});
