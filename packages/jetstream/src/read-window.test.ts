import { expect, test } from "vitest";

import { readBytesMax, ReadWindow } from "./read-window.ts";

test("reads beyond the window wait, in order, until answers are here (I7)", () => {
  const window = new ReadWindow();
  const begun: number[] = [];
  const half = readBytesMax / 2;
  for (const read of [1, 2, 3, 4]) window.enter(half, () => begun.push(read));
  // A small one does not overtake: a large one that waits is not starved.
  window.enter(1, () => begun.push(5));
  expect(begun).toEqual([1, 2]);
  window.leave(half);
  expect(begun).toEqual([1, 2, 3]);
  window.leave(half);
  window.leave(half);
  expect(begun).toEqual([1, 2, 3, 4, 5]);
});
