import type { RunningProjection } from "@troupe/core";
import { expect, test } from "vitest";
import { textWidth } from "../terminal/width.ts";
import { ProjectProgress } from "./project-progress.ts";

/** A projection whose lag the test sets. */
function projectionWith(lag: number): { lag: number } & RunningProjection {
  const never = Promise.resolve();
  const running = { name: "balances", version: 1, position: 17, lag, applied: 1200, skipped: 2 };
  return {
    ...running,
    ended: never,
    caughtUp: () => never,
    stop: () => never,
    [Symbol.asyncDispose]: () => never,
  };
}

test("a bar says how much of the lag at the start is done", () => {
  const running = projectionWith(400);
  const progress = new ProjectProgress(running);
  expect(progress.text(120)).toMatch(/^─+ +0 % {2}balances · position 17 · lag 400 · .*… left$/);
  running.lag = 100;
  expect(progress.text(140)).toMatch(/^━{30}─{10} +75 % {2}balances .* 2 skipped · .* left$/);
});

test("what has caught up has no bar", () => {
  const progress = new ProjectProgress(projectionWith(0));
  const text = "balances · position 17 · lag 0 · 1,200 events · 2 skipped";
  expect(progress.text(120)).toBe(text);
});

test.each([10, 40, 70, 100])("fits %i columns", (width) => {
  const running = projectionWith(400);
  const progress = new ProjectProgress(running);
  running.lag = 399;
  expect(textWidth(progress.text(width))).toBeLessThanOrEqual(width);
});
