/**
 * The contract suite of the log port, for vitest.
 *
 * Every implementation runs the same checks, so a rule that is tested in memory holds on the real
 * log. The checks are plain functions in `logChecks`; a runner other than vitest can call them
 * itself.
 */
import { describe, test } from "vitest";

import { logChecks } from "./log-checks.ts";
import type { LogCheck, LogHarness } from "./log-harness.ts";

/**
 * Declares one test per check; each gets a harness of its own from `setup`, and stops it.
 *
 * @example
 * ```ts
 * logContract("my log", setupLog);
 * ```
 */
export function logContract(name: string, setup: () => Promise<LogHarness>): void {
  describe(`${name} keeps the log contract`, () => {
    declare(
      test.concurrent,
      logChecks.filter((check) => check.needs === undefined),
      setup,
    );
    // Nobody else may use the broker while a check stops it.
    declare(
      test,
      logChecks.filter((check) => check.needs !== undefined),
      setup,
    );
  });
}

function declare(
  declared: Pick<typeof test.concurrent, "for">,
  checks: readonly LogCheck[],
  setup: () => Promise<LogHarness>,
): void {
  declared.for(checks)("$name", async (check, { skip }) => {
    const harness = await setup();
    try {
      if (isPossible(check, harness)) await check.run(harness);
      else skip("the harness has no such thing");
    } finally {
      await harness.stop();
    }
  });
}

function isPossible({ needs, oneShard }: LogCheck, harness: LogHarness): boolean {
  if (oneShard === true && (harness.shards ?? 1) > 1) return false;
  return needs === undefined || harness[needs] !== undefined;
}
