import { expect, it } from "vitest";

import { PositionTracker } from "./position-tracker.ts";

it("has its floor before the first unfinished input, whatever finishes behind it", () => {
  const tracker = new PositionTracker(4);
  expect([tracker.floor, tracker.lastRead]).toEqual([4, 4]);
  const [first, second, third] = [5, 7, 9].map((position) => tracker.begin({ position }));
  expect(tracker.floor).toBe(4);
  if (second !== undefined) tracker.finish(second);
  expect(tracker.floor).toBe(4);
  if (first !== undefined) tracker.finish(first);
  expect(tracker.floor).toBe(8);
  tracker.pass(12);
  expect(tracker.floor).toBe(8);
  if (third !== undefined) tracker.finish(third);
  expect([tracker.floor, tracker.lastRead]).toEqual([12, 12]);
});

it("stays quick with one stuck input and a million finished ones behind it (I7)", () => {
  const tracker = new PositionTracker(0);
  tracker.begin({ position: 1 });
  for (let position = 2; position < 1_000_000; position++) {
    tracker.finish(tracker.begin({ position }));
  }
  expect(tracker.floor).toBe(0);
  // Finished inputs are forgotten: only the stuck one is left to look at.
  expect(JSON.stringify(tracker.unfinished)).toBe('[{"position":1}]');
});
