/** The contract suite of an archive's store, for vitest: every store runs the same checks. */
import { describe, test } from "vitest";

import { storeChecks } from "./store-checks.ts";
import type { StoreHarness } from "./store-harness.ts";

/**
 * Declares one test per check; each gets a harness of its own from `setup`, and stops it.
 *
 * @example
 * ```ts
 * storeContract("my store", setupStore);
 * ```
 */
export function storeContract(name: string, setup: () => Promise<StoreHarness>): void {
  describe(`${name} keeps the contract of an archive's store`, () => {
    // oxlint-disable-next-line vitest/expect-expect -- the checks assert, without vitest.
    test.for(storeChecks)("$name", async (check) => {
      const harness = await setup();
      try {
        await check.run(harness);
      } finally {
        await harness.stop();
      }
    });
  });
}
