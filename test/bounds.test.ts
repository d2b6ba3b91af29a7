/** The page of bounds says what the code does: every number of a worker, with its default. */
import { readFile } from "node:fs/promises";
import { expect, test } from "vitest";

import { workerSettingsDefault } from "@troupe/core/engine";

test("docs/operating/bounds.md names every bound of a worker with its default", async () => {
  const page = await readFile(new URL("../docs/operating/bounds.md", import.meta.url), "utf8");
  const rows = [...page.matchAll(/^\| `(\w+)` +\| (\d+) +\|/gm)];
  const told = Object.fromEntries(rows.map(([, name = "", value]) => [name, Number(value)]));
  const numbers = Object.entries(workerSettingsDefault).filter(
    ([, value]) => typeof value === "number",
  );
  expect(told).toEqual(Object.fromEntries(numbers));
});
