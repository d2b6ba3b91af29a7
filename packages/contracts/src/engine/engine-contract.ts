/**
 * The contract suite of the turn engine, for vitest: the promises of the invariants I1 to I10, on
 * any log.
 *
 * The checks are plain functions in `engineChecks`; a log that lies makes them fail, which
 * `engine-mutants.test.ts` shows.
 */
import { describe, test } from "vitest";

import type { LogHarness } from "../log-harness.ts";
import { engineChecks } from "./engine-checks.ts";

/**
 * Declares one test per check; each gets a harness of its own from `setup`, and stops it.
 *
 * @param only a pattern of the names of checks, where not all of them are wanted
 *
 * @example
 * ```ts
 * engineContract("the engine on my log", setupLog);
 * ```
 */
export function engineContract(
  name: string,
  setup: () => Promise<LogHarness>,
  only?: RegExp,
): void {
  const checks = engineChecks.filter(({ name: rule }) => only?.test(rule) ?? true);
  describe.concurrent(`the engine on ${name}`, () => {
    // oxlint-disable-next-line vitest/expect-expect -- the checks assert, without vitest.
    test.for(checks)("$name", async (check) => {
      const harness = await setup();
      try {
        await check.run(harness);
      } finally {
        await harness.stop();
      }
    });
  });
}
