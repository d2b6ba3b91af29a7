/** The law of projections: the model is the fold of all events in log order, whatever happens. */
import fc from "fast-check";
import { expect, test } from "vitest";

import { memorySinkHarness } from "../memory/memory-sink-harness.ts";
import { CounterLog, countsProjection } from "./counter-log.ts";
import { faultySink, type SinkFault } from "./faulty-sink.ts";

const run = fc.record({
  /** Turns that are stored while it runs: keys and how many events each has. */
  turns: fc.array(fc.tuple(fc.constantFrom("a", "b", "c"), fc.nat({ max: 4 })), { maxLength: 15 }),
  batchSizeMax: fc.integer({ min: 1, max: 9 }),
  batchWaitMs: fc.constantFrom(0, 0, 1),
  readAheadMax: fc.integer({ min: 1, max: 9 }),
  faults: fc.array(fc.constantFrom<SinkFault>("none", "before-commit", "lost-answer")),
  runners: fc.integer({ min: 1, max: 3 }),
  /** The run is stopped as it is, or when it has caught up. */
  stop: fc.constantFrom("at once", "caught up"),
});

test("projection = fold, for all batch sizes, restarts, faults and numbers of runners", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(run, { minLength: 1, maxLength: 5 }), async (runs) => {
      const harness = memorySinkHarness();
      const projection = countsProjection(harness);
      await using log = new CounterLog();
      let n = 0;
      for (const { turns, faults, runners, stop, ...options } of runs) {
        const sink = faultySink(await harness.connect(), faults.values());
        const settings = { ...options, retry: { delayMs: 0, delayMsMax: 0 } };
        const running = await Promise.all(
          Array.from({ length: runners }, () => log.troupe().project(projection, sink, settings)),
        );
        for (const [key, events] of turns) {
          await log.count(key, ...Array.from({ length: events }, () => n++));
        }
        const rowsMin = stop === "caught up" ? log.fold().length : 0;
        if (rowsMin > 0) await Promise.all(running.map((each) => each.caughtUp()));
        await Promise.all(running.map((each) => each.stop()));
        const rows = await harness.rows(projection.name);
        expect(rows).toEqual(log.fold().slice(0, rows.length));
        expect(rows.length).toBeGreaterThanOrEqual(rowsMin);
      }
      const sink = await harness.connect();
      await using last = await log.troupe().project(projection, sink);
      await last.caughtUp();
      expect(await harness.rows(projection.name)).toEqual(log.fold());
    }),
    { numRuns: 150 },
  );
});
