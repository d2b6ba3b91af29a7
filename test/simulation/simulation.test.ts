/** A short form of `npm run simulate`; CI runs 2,000 seeds of each system in a step of its own. */
import { simulate, simulateSeeds } from "@troupe/core/testing";
import { describe, expect, test } from "vitest";

import { simulateAgain, systems } from "./systems.ts";

const count = 200;

describe.each(Object.entries(systems))("the system %s", (name, system) => {
  test(`holds for ${count} seeds`, { timeout: 120_000 }, async () => {
    const again = (seed: number): string => simulateAgain(name, seed);
    expect(await simulateSeeds({ ...system, count, again })).toMatchObject({ runs: count });
  });

  test("does the same for the same seed", async () => {
    for (const seed of [3, 14, 15]) {
      const first = await simulate({ ...system, seed });
      const second = await simulate({ ...system, seed });
      expect(second.digest).toBe(first.digest);
    }
  });
});
