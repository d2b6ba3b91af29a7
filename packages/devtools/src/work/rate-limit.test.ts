import { expect, test } from "vitest";
import { RateLimit } from "./rate-limit.ts";

test("lets so many through in a second, and says how many it kept back", () => {
  const alarms: (() => void)[] = [];
  const leftOut: number[] = [];
  const clock = {
    now: () => 0,
    after: (_: number, alarm: () => void) => {
      alarms.push(alarm);
      return () => undefined;
    },
  };
  const limit = new RateLimit(2, clock, (count) => leftOut.push(count));
  expect([limit.allows(), limit.allows(), limit.allows(), limit.allows()]).toEqual([
    true,
    true,
    false,
    false,
  ]);
  alarms[0]?.();
  expect(leftOut).toEqual([2]);
  expect(limit.allows()).toBe(true);
  alarms[1]?.();
  expect(leftOut).toEqual([2]);
});
