/** The line that CI reads is checked on real runs of vitest, the red ones above all. */
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { root } from "./tracked-files.ts";

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "troupe-count-"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

function run(source: string): { lastLine: string | undefined; status: number | null } {
  writeFileSync(join(folder, "a.test.ts"), source);
  const vitest = join(root, "node_modules/vitest/vitest.mjs");
  const reporter = join(root, "scripts/count-reporter.ts");
  const options = ["run", "--globals", `--root=${folder}`, "--reporter=default"];
  const { stdout, status } = spawnSync(
    process.execPath,
    [vitest, ...options, `--reporter=${reporter}`],
    { cwd: folder, encoding: "utf8" },
  );
  return { lastLine: stdout.trimEnd().split("\n").at(-1), status };
}

test("a green run closes with its counts", () => {
  expect(run('test("a", () => {}); test("b", () => {});')).toEqual({
    lastLine: "2 passed, 0 failed",
    status: 0,
  });
});

test("failed and skipped tests are counted and fail the run", () => {
  const source = 'test("a", () => {}); test("b", () => expect(1).toBe(2)); test.skip("c");';
  expect(run(source)).toEqual({ lastLine: "1 passed, 1 failed, 1 skipped", status: 1 });
});

test("a file that does not load is a failure", () => {
  expect(run('throw new Error("no");')).toEqual({ lastLine: "0 passed, 1 failed", status: 1 });
});

test("an unhandled rejection is a failure", () => {
  const source = 'test("a", () => { void Promise.reject(new Error("lost")); });';
  expect(run(source)).toEqual({ lastLine: "1 passed, 1 failed", status: 1 });
});

test("a run in which no test ran fails", () => {
  const source = 'test.skip("a", () => {});';
  expect(run(source)).toEqual({ lastLine: "0 passed, 0 failed, 1 skipped", status: 1 });
});
