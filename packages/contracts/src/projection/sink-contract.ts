/** The contract suite of the sink port, for vitest: every sink runs the same checks. */
import { describe, test } from "vitest";

import { sinkChecks } from "./sink-checks.ts";
import type { SinkHarness } from "./sink-harness.ts";

/**
 * Declares one test per check; each gets a harness of its own from `setup`, and stops it.
 *
 * @example
 * ```ts
 * sinkContract("my sink", setupSink);
 * ```
 */
export function sinkContract(name: string, setup: () => Promise<SinkHarness>): void {
  describe(`${name} keeps the sink contract`, () => {
    // oxlint-disable-next-line vitest/expect-expect -- the checks assert, without vitest.
    test.for(sinkChecks)("$name", async (check) => {
      const harness = await setup();
      try {
        await check.run(harness);
      } finally {
        await harness.stop();
      }
    });
  });
}
