/** No system is forgotten: each one has a test file of its own. */
import { existsSync } from "node:fs";

import { expect, test } from "vitest";

import { systems } from "./systems.ts";

test.each(Object.keys(systems))("the system %s has its tests", (name) => {
  expect(existsSync(new URL(`${name}.test.ts`, import.meta.url))).toBe(true);
});
