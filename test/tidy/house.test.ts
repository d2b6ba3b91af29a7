/** `npm run house`: what it measures stays within the limits that the house has set itself. */
import { execFileSync } from "node:child_process";
import { fileURLToPath } from "node:url";

import { expect, test } from "vitest";

import { isCheckout } from "./tracked-files.ts";

const script = fileURLToPath(new URL("../../scripts/house.ts", import.meta.url));

test("the measures of the house stay within their limits", ({ skip }) => {
  skip(!isCheckout, "not a git checkout, so nothing says which files belong to the repository");
  const args = ["--conditions=troupe-source", script, "--json"];
  const said = execFileSync(process.execPath, args, { encoding: "utf8" }).trimEnd().split("\n");
  const { knot, names, prose, typeCycles } = JSON.parse(said.at(-1) ?? "");
  expect({ knot, typeCycles }).toEqual({ knot: 0, typeCycles: 0 });
  expect(names["@troupe/core"]).toBeLessThan(60);
  expect(prose.clause).toBeLessThan(3);
  expect(prose.pronoun).toBeLessThan(2);
  expect(prose.examples).toBeGreaterThan(25);
});
