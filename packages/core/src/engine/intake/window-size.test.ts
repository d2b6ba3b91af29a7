import fc from "fast-check";
import { expect, it } from "vitest";

import { lendingBounds, withFittingWindows } from "./window-size.ts";
import { workerSettingsDefault } from "../worker/worker-options.ts";

const whole = (max: number): fc.Arbitrary<number> => fc.integer({ min: 1, max });

const configured = fc
  .record({
    windowMax: whole(2000),
    keyWindowMax: whole(2000),
    callDepthMax: whole(32),
    activationsMax: fc.oneof(whole(200_000), fc.constant(Infinity)),
  })
  .filter(({ keyWindowMax, windowMax }) => keyWindowMax <= windowMax);

it("reads no more ahead than may be in memory, but a chain of nested asks always fits (I7)", () => {
  const reach = fc.record({ partitions: whole(256), types: whole(20) });
  fc.assert(
    fc.property(configured, reach, (settings, { partitions, types }) => {
      const { keyWindowMax, windowMax } = withFittingWindows(settings, { partitions, types });
      const { callDepthMax, activationsMax } = settings;
      const leastBusy = partitions * types * (callDepthMax + 1);
      const half = Math.max(activationsMax / 2, leastBusy);
      expect(partitions * types * windowMax).toBeLessThanOrEqual(half);
      const lent = lendingBounds({ ...workerSettingsDefault, ...settings }).inputsMax;
      expect(lent).toBeLessThanOrEqual(Math.max(activationsMax / 2, callDepthMax + 1));
      expect(lent).toBeGreaterThanOrEqual(callDepthMax + 1);
      expect(windowMax).toBeLessThanOrEqual(settings.windowMax);
      expect(windowMax).toBeGreaterThanOrEqual(Math.min(settings.windowMax, callDepthMax + 1));
      expect(keyWindowMax).toBeLessThanOrEqual(Math.min(settings.keyWindowMax, windowMax));
      expect(keyWindowMax).toBeGreaterThanOrEqual(1);
    }),
  );
});

it("leaves windows alone that fit, and keeps a key's share of the window", () => {
  const settings = {
    windowMax: 1024,
    keyWindowMax: 128,
    callDepthMax: 16,
    activationsMax: 100_000,
  };
  expect(withFittingWindows(settings, { partitions: 32, types: 1 })).toEqual(settings);
  expect(withFittingWindows(settings, { partitions: 32, types: 20 })).toMatchObject({
    windowMax: 78,
    keyWindowMax: 10,
  });
});
