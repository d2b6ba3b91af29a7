/**
 * Law of the fuzzer: whatever a stranger sends costs him a dead letter, and nobody else anything
 * (I10, I14).
 */
import { expect, test } from "vitest";

import { fuzz } from "./fuzz-run.ts";

test("20 000 messages of a stranger's harm nobody, and none of them vanishes", async () => {
  const { acknowledged, breaches, deadLetters, denied, handled, refused } = await fuzz({
    seed: 20_261_128,
    messages: 20_000,
  });
  expect(breaches).toEqual([]);
  // The run was one: of everything there was something.
  for (const count of [acknowledged, handled, deadLetters]) expect(count).toBeGreaterThan(2000);
  for (const count of [refused, denied]) expect(count).toBeGreaterThan(500);
}, 120_000);
