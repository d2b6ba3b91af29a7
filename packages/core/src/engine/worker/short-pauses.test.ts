/**
 * The flag behind `preferShortPauses` is one that this Node knows: an unknown one would be ignored.
 */
import { execFile } from "node:child_process";
import { promisify } from "node:util";

import { expect, test } from "vitest";

import { preferShortPauses } from "./short-pauses.ts";

const run = promisify(execFile);

test("the flag exists", async () => {
  const { stdout } = await run(process.execPath, ["--v8-options"], { maxBuffer: 2 ** 24 });
  const flag = /--(?:no-)?([a-z-]+)/.exec(preferShortPauses.toString())?.[1];
  expect(flag).toBe("allocation-site-pretenuring");
  expect(stdout).toMatch(new RegExp(`^ +--${flag ?? "none"} `, "m"));
});

test("a program that calls it runs, without a word", async () => {
  const module = new URL("./short-pauses.ts", import.meta.url);
  const program = `import { preferShortPauses } from ${JSON.stringify(module.href)}; preferShortPauses(); console.log("runs");`;
  const args = ["--conditions=troupe-source", "--input-type=module", "--eval", program];
  expect(await run(process.execPath, args)).toMatchObject({ stdout: "runs\n", stderr: "" });
});
