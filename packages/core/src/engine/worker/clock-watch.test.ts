import { describe, expect, it } from "vitest";

import { inspectionFeed } from "../inspection/inspection-feed.ts";
import { ClockWatch } from "./clock-watch.ts";

describe("a clock that differs from the log's", () => {
  it("is told once, and again when it came right in between", () => {
    const told: unknown[] = [];
    const feed = inspectionFeed(({ failure }) => told.push(failure.details?.["aheadMs"]));
    let aheadMs = 0;
    const clock = { now: () => 1_000_000 + aheadMs };
    const watch = new ClockWatch({ clock, feed, log: { nowMs: () => 1_000_000 } });
    for (const next of [0, 4000, -4000, 60_000, 61_000, 0, -60_000, -60_000]) {
      aheadMs = next;
      watch.look();
    }
    expect(told).toEqual([60_000, -60_000]);
  });
});
