import { execFileSync } from "node:child_process";
import { expect, test } from "vitest";

test("tests run on the Node that the lockfile names", () => {
  expect(Number(process.versions.node.split(".")[0])).toBeGreaterThanOrEqual(24);
  expect(execFileSync("node", ["--version"], { encoding: "utf8" }).trim()).toBe(process.version);
});
