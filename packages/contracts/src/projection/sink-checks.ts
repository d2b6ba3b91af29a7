/** All rules of the sink port, as checks, each of them with the real runner on a log in memory. */
import assert from "node:assert/strict";

import type { RunningProjection } from "@troupe/core";
import { rejectsWith } from "../observe.ts";
import { countsProjection, CounterLog } from "./counter-log.ts";
import { faultySink, type SinkFault } from "./faulty-sink.ts";
import type { SinkCheck, SinkHarness } from "./sink-harness.ts";

const quickly = { batchWaitMs: 0, retry: { delayMs: 1, delayMsMax: 2 } } as const;

export const sinkChecks: readonly SinkCheck[] = [
  {
    name: "the model is the fold of all events in log order, over restarts",
    async run(harness) {
      await using log = new CounterLog();
      const projection = countsProjection(harness);
      for (const [round, batchSizeMax] of [1, 2, 7, 500].entries()) {
        await log.countMany(10, round * 10);
        const options = { ...quickly, batchSizeMax };
        await using running = await log
          .troupe()
          .project(projection, await harness.connect(), options);
        await running.caughtUp();
        await expectFold(harness, log);
      }
    },
  },
  {
    name: "what fails after the write and before the commit leaves nothing behind",
    run: (harness) => survives(harness, ["before-commit", "none", "before-commit"]),
  },
  {
    name: "a transaction whose answer is lost is not applied again",
    run: (harness) => survives(harness, ["lost-answer", "none", "lost-answer", "lost-answer"]),
  },
  {
    name: "of two runners at once none applies what the other one applied",
    async run(harness) {
      await using log = new CounterLog();
      await log.countMany(20);
      const projection = countsProjection(harness);
      const start = async (): Promise<RunningProjection> =>
        log.troupe().project(projection, await harness.connect(), { ...quickly, batchSizeMax: 2 });
      const runners = await Promise.all([start(), start(), start()]);
      await log.countMany(20, 20);
      await Promise.all(runners.map((running) => running.caughtUp()));
      const applied = runners.reduce((sum, running) => sum + running.applied, 0);
      await Promise.all(runners.map((running) => running.stop()));
      await expectFold(harness, log);
      assert.equal(applied, log.fold().length);
    },
  },
  {
    name: "a raised version builds the model from zero, and refuses the code before it",
    async run(harness) {
      await using log = new CounterLog();
      await log.countMany(5);
      const sink = await harness.connect();
      const old = await log.troupe().project(countsProjection(harness), sink, quickly);
      await old.caughtUp();
      const raised = countsProjection(harness, { version: 2 });
      await using running = await log.troupe().project(raised, await harness.connect(), quickly);
      await running.caughtUp();
      await expectFold(harness, log);
      assert.equal(running.applied, log.fold().length);
      await log.countMany(5, 5);
      await rejectsWith(old.ended, "outdated-projection");
      await rejectsWith(
        log.troupe().project(countsProjection(harness), sink, quickly),
        "outdated-projection",
      );
      await running.caughtUp();
      await expectFold(harness, log);
    },
  },
  {
    name: "a rebuild begins with an empty model, also under a running one",
    async run(harness) {
      await using log = new CounterLog();
      await log.countMany(6);
      const projection = countsProjection(harness);
      const sink = await harness.connect();
      await using first = await log.troupe().project(projection, sink, quickly);
      await first.caughtUp();
      assert.deepEqual(await sink.reset(projection), {
        version: 1,
        position: 0,
        recordedAtMs: 0,
      });
      assert.deepEqual(await harness.rows(projection.name), []);
      await log.countMany(6, 6);
      await using second = await log.troupe().project(projection, await harness.connect(), quickly);
      await Promise.all([first.caughtUp(), second.caughtUp()]);
      await expectFold(harness, log);
    },
  },
  {
    name: "a poison event stops the run and keeps everything before it, once",
    async run(harness) {
      await using log = new CounterLog();
      await log.countMany(9);
      const before = (n: number): void => {
        if (n === 5) throw new Error("five");
      };
      const poisoned = countsProjection(harness, { before });
      const sink = await harness.connect();
      const running = await log.troupe().project(poisoned, sink, quickly);
      await rejectsWith(running.ended, "poison-event");
      assert.deepEqual(await harness.rows("counts"), log.fold().slice(0, 10));
      await using corrected = await log.troupe().project(countsProjection(harness), sink, quickly);
      await corrected.caughtUp();
      await expectFold(harness, log);
    },
  },
  {
    name: "a checkpoint from another log is refused",
    async run(harness) {
      await using log = new CounterLog();
      await using other = new CounterLog();
      await log.countMany(5);
      await other.countMany(3);
      const projection = countsProjection(harness);
      const sink = await harness.connect();
      await using running = await log.troupe().project(projection, sink, quickly);
      await running.caughtUp();
      const before = await harness.rows("counts");
      await rejectsWith(other.troupe().project(projection, sink, quickly), "foreign-checkpoint");
      assert.deepEqual(await harness.rows("counts"), before);
    },
  },
];

async function survives(harness: SinkHarness, faults: readonly SinkFault[]): Promise<void> {
  await using log = new CounterLog();
  await log.countMany(12);
  const sink = faultySink(await harness.connect(), faults.values());
  const options = { ...quickly, batchSizeMax: 2 };
  await using running = await log.troupe().project(countsProjection(harness), sink, options);
  await running.caughtUp();
  await expectFold(harness, log);
}

async function expectFold(harness: SinkHarness, log: CounterLog): Promise<void> {
  assert.deepEqual(await harness.rows("counts"), log.fold());
}
