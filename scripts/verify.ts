/**
 * Runs everything that CI checks, in one go: `npm run verify`.
 *
 * Every check runs even when an earlier one failed, cheapest first, so that one run tells all there
 * is to fix. The rules of test/tidy.test.ts are among the tests.
 */
import { spawnSync } from "node:child_process";

const checks = [
  "format:check",
  "lint",
  "types",
  "api",
  "knip",
  "publint",
  "attw",
  "reference:check",
  "test",
] as const;
const env = { ...process.env, TURBO_TELEMETRY_DISABLED: "1" };

const failed = checks.filter((check) => {
  console.log(`\n── ${check}`);
  // A shell finds npm under whatever name the platform gives it.
  return (
    spawnSync(`npm run --silent ${check}`, { env, shell: true, stdio: "inherit" }).status !== 0
  );
});

console.log(failed.length === 0 ? "\nAll checks pass." : `\nFailed: ${failed.join(", ")}.`);
process.exitCode = failed.length === 0 ? 0 : 1;
