import { describe, expect, it } from "vitest";

import { ServerTime } from "./server-time.ts";

describe("the server's time", () => {
  it("goes on by a clock that never goes back, and only forward", () => {
    let monotonicMs = 500;
    const time = new ServerTime(1_000_000, () => monotonicMs);
    expect(time.nowMs).toBe(1_000_000);
    monotonicMs += 1000;
    expect(time.nowMs).toBe(1_001_000);
    // An answer that was long on its way, or about something old, says nothing new.
    time.said(1_000_900);
    expect(time.nowMs).toBe(1_001_000);
    time.said(1_001_020);
    expect(time.nowMs).toBe(1_001_020);
  });
});
