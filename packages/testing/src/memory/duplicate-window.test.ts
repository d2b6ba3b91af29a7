import { expect, test } from "vitest";

import { DuplicateWindow } from "./duplicate-window.ts";

test("an id is remembered for its time and no longer", () => {
  const ids = new DuplicateWindow({ ageMsMax: 100, idsMax: 10 });
  ids.remember("a", 1, 1000);
  expect(ids.find("a", 1100)).toBe(1);
  expect(ids.find("a", 1101)).toBeUndefined();
});

test("the oldest ids go first when there are too many", () => {
  const ids = new DuplicateWindow({ ageMsMax: 1000, idsMax: 2 });
  for (const [index, id] of ["a", "b", "c"].entries()) ids.remember(id, index + 1, 0);
  expect(["a", "b", "c"].map((id) => ids.find(id, 0))).toEqual([undefined, 2, 3]);
});

test("an id remembered again later counts from then", () => {
  const ids = new DuplicateWindow({ ageMsMax: 100, idsMax: 10 });
  ids.remember("a", 1, 0);
  expect(ids.find("a", 150)).toBeUndefined();
  ids.remember("a", 2, 150);
  expect(ids.find("a", 240)).toBe(2);
});
