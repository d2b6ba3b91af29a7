/**
 * The demands on every system. A test file per system, so that they share the machine's cores;
 * `npm run simulate` runs any number of seeds.
 */
import { simulate, simulateSeeds } from "@troupe/testing";
import { describe, expect, test } from "vitest";

import { simulateAgain, systems } from "./systems.ts";

/** The short form; `npm run simulate -- --seeds 2000` is the long one. */
const count = 25;

/** Declares the tests of one system, by its name in `systems`. */
export function systemContract(name: string): void {
  const system = systems[name];
  if (system === undefined) throw new Error(`There is no system ${name}.`);

  describe(`the system ${name}`, () => {
    test(`holds for ${count} seeds`, { timeout: 300_000 }, async () => {
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
}
