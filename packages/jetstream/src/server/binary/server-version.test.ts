import { expect, test } from "vitest";

import { compareVersions, isNewEnough, minimumNatsServerVersion } from "./server-version.ts";

test("versions are ordered by their numbers, not as text", () => {
  const versions = ["2.14.4", "2.9.10", "2.14.10", "3.0.0", "2.15.1"];
  expect(versions.toSorted(compareVersions)).toEqual([
    "2.9.10",
    "2.14.4",
    "2.14.10",
    "2.15.1",
    "3.0.0",
  ]);
});

test("the minimum itself is new enough, the release before it is not", () => {
  expect(isNewEnough(minimumNatsServerVersion)).toBe(true);
  expect(isNewEnough("2.14.3")).toBe(false);
});
