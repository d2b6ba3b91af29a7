/** The documentation says what the code does: snippets are files, and the files run. */
import { execFile } from "node:child_process";
import { readdir, readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

import { startNatsServer } from "@troupe/jetstream/server";
import { expect, it } from "vitest";

const run = promisify(execFile);
const root = new URL("../", import.meta.url);
const source = "--conditions=troupe-source";
/** A run takes less than a second on a machine that does nothing else. */
const hangsAfterMs = 20_000;

const ordered = /^order: paid\n\[ '2 of lamp-\w+, 8 left' \]\n$/;
const reviewed = /^\{ lines: 2, best: 6 \}\n\{ lines: 2, best: 6 \}\n$/;

function path(file: string): string {
  return fileURLToPath(new URL(`packages/examples/tutorial/${file}`, root));
}

async function snippets(): Promise<readonly { readonly file: string; readonly code: string }[]> {
  const text = await readFile(new URL("README.md", root), "utf8");
  return [...text.matchAll(/```ts file=(\S+)\n(.*?)```/gs)].map(([, file = "", code = ""]) => ({
    file,
    code,
  }));
}

it("shows in the README exactly what is in the tutorial's files", async () => {
  const shown = await snippets();
  expect(shown.length).toBeGreaterThan(0);
  for (const { file, code } of shown) {
    expect(code).toBe(await readFile(new URL(file, root), "utf8"));
  }
});

/** What a program of the tutorial prints, in its first and in its second run on one broker. */
const programs = [
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
  expect(programs.map(([file]) => file)).toEqual(files.toSorted());
});

it(
  "runs the programs of the tutorial twice in a row on one broker",
  { timeout: 120_000 },
  async () => {
    await using server = await startNatsServer();
    for (const [file, ...printed] of programs) {
      for (const expected of printed) {
        // Ended with an error, or killed because it hangs, it rejects.
        const { stdout, stderr } = await run(process.execPath, [source, path(file)], {
          env: { ...process.env, TROUPE_NATS_URL: server.url },
          timeout: hangsAfterMs,
        });
        expect(stdout).toMatch(expected);
        expect(stderr).toBe("");
      }
    }
  },
);

it("declares the first agent in fewer than 15 lines and without a type annotation", async () => {
  const [first] = await snippets();
  const declaration = /export const account = .*?;\n(?=\n)/s.exec(first?.code ?? "")?.[0] ?? "";
  expect(declaration).not.toBe("");
  expect(declaration.split("\n").length).toBeLessThan(15);
  expect(declaration).not.toMatch(/: (?:string|number|unknown)|<[A-Z]/);
});
