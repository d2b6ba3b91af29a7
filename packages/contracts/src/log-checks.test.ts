import { expect, test } from "vitest";

import { logChecks } from "./log-checks.ts";

test("every check has a name of its own", () => {
  const names = logChecks.map(({ name }) => name);
  expect(names).toEqual([...new Set(names)]);
});
