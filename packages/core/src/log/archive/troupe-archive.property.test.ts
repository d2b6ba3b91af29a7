/**
 * Replays and projections of agents at work, whose journals are archived and truncated meanwhile:
 * the same as those of the log with everything.
 */
import fc from "fast-check";
import { expect, test } from "vitest";
import { z } from "zod";

import {
  agent,
  createTroupe,
  memoryModel,
  memorySink,
  projection,
  type Troupe,
} from "@troupe/core";
import type { Log } from "@troupe/core/log";
import { createMemoryBroker, memoryArchiveStore } from "@troupe/testing";
import { truncatedLog } from "../../../fixtures/truncated-log.ts";

const tally = agent("tally")
  .state({ sum: 0, turns: 0 })
  .event("added", z.number(), ({ sum, turns }, by) => ({ sum: sum + by, turns: turns + 1 }))
  .on("add", z.number(), async (ctx, by) => {
    ctx.emit.added(await ctx.step("look up", by, (input) => input));
    if (by % 3 === 0) ctx.send(tally, "other").add(by + 1);
  });

const added = projection(
  "added",
  memoryModel((): string[] => []),
).on(tally, "added", (rows, by, { agent: { key }, atMs, position }) => {
  rows.push(`${position} ${key} ${by} ${atMs}`);
});

const timings = { joinDelayMs: 0, heartbeatMs: 20 };

async function replayed(troupe: Troupe, key: string): Promise<readonly unknown[]> {
  const found: unknown[] = [];
  for await (const turn of troupe.replay(tally, key)) found.push(turn);
  return found;
}

async function projected(troupe: Troupe): Promise<readonly string[]> {
  const sink = memorySink();
  await using running = await troupe.project(added, sink, { batchWaitMs: 0 });
  await running.caughtUp();
  return sink.read(added);
}

/** Archives up to some positions, and truncates agents up to them; the last record stays. */
async function archiveAndTruncate(
  troupe: Troupe,
  log: Log,
  cut: { readonly part: number; readonly truncate: (key: string, upTo: number) => void },
): Promise<void> {
  const { last } = await log.end();
  const upTo = Math.floor(last * cut.part);
  if (upTo === 0) return;
  await troupe.archive?.keep({ kind: "agent", name: tally.type }, upTo);
  for (const key of ["a", "b", "other"]) {
    let fence = 0;
    for (let page = await log.journal({ type: "tally", key }, 0); page.length > 0;) {
      fence = page.at(-1)?.revision ?? fence;
      page = await log.journal({ type: "tally", key }, fence);
    }
    cut.truncate(key, Math.min(upTo, fence - 1));
  }
}

test("replays, projections and diagnosis read archive and journal as one", async () => {
  const run = fc.asyncProperty(
    fc.array(fc.tuple(fc.constantFrom("a", "b"), fc.integer({ min: 1, max: 9 })), {
      minLength: 1,
      maxLength: 20,
    }),
    fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { minLength: 1, maxLength: 4 }),
    async (adds, parts) => {
      const broker = createMemoryBroker();
      const whole = createTroupe(broker.connect(), { onFault: false });
      await whole.work(tally, { timings });
      const truncated = truncatedLog(broker.connect());
      const archive = memoryArchiveStore();
      const across = createTroupe(truncated.log, { archive, onFault: false });
      const round = Math.ceil(adds.length / parts.length);
      for (const [index, part] of parts.entries()) {
        for (const [key, by] of adds.slice(index * round, (index + 1) * round)) {
          await whole.agent(tally, key).add(by);
        }
        const truncate = (key: string, upTo: number): void =>
          truncated.truncate({ type: "tally", key }, upTo);
        await archiveAndTruncate(across, whole.log, { part, truncate });
      }
      await whole.agent(tally, "other").add(1);
      for (const key of ["a", "b", "other"]) {
        expect(await replayed(across, key)).toEqual(await replayed(whole, key));
      }
      expect(await projected(across)).toEqual(await projected(whole));
      await across.close();
      await whole.close();
    },
  );
  await fc.assert(run, { numRuns: 25 });
});
