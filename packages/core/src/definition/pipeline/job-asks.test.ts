/** Number of askers that a job remembers. */
import { expect, test } from "vitest";
import { z } from "zod";

import { createTroupe } from "../../client/troupe.ts";
import { createMemoryBroker } from "@troupe/testing";
import { asksMax } from "./job-state.ts";
import { pipeline } from "./pipeline.ts";

test("a job remembers where so many askers wait, and the others are answered, too", async () => {
  const gate = Promise.withResolvers<void>();
  const parts = pipeline("echo", z.object({ text: z.string() })).parallel(
    "only",
    { each: ({ text }) => [text] },
    async (_, part) => {
      await gate.promise;
      return part;
    },
  );
  await using troupe = createTroupe(createMemoryBroker({ partitions: 1 }).connect("test"));
  let runs = 0;
  troupe.inspect((event) => {
    if (event.kind === "turn.committed" && event.record.message === "run") runs += 1;
  });
  await troupe.work(parts, { timings: { joinDelayMs: 0 } });
  const count = asksMax + 2;
  const asks = Array.from({ length: count }, () => troupe.agent(parts, "job").run({ text: "a" }));
  await expect.poll(() => runs, { timeout: 20_000 }).toBe(count);
  const states: number[] = [];
  for await (const { state } of troupe.replay(parts.job, "job")) states.push(state.asks.length);
  expect(Math.max(...states)).toBe(asksMax);
  gate.resolve();
  expect(new Set((await Promise.all(asks)).flat())).toEqual(new Set(["a"]));
}, 30_000);
