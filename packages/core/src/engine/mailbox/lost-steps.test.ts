/** A log that loses the steps of a turn which is still running (I16). */
import { expect, it, vi } from "vitest";
import { z } from "zod";

import { agent, createTroupe } from "@troupe/core";
import { decodeJournalRecord } from "@troupe/core/operate";
import { createMemoryBroker } from "@troupe/testing";

it("goes on when the last record that it stored was lost, and others are there now", async () => {
  const gate = Promise.withResolvers<void>();
  const slow = agent("slow").on("work", z.string(), async (ctx, what) => {
    await ctx.step("think", what, async () => what);
    await gate.promise;
    return what;
  });
  const broker = createMemoryBroker({ partitions: 1 });
  await using troupe = createTroupe(broker.connect(), { onFault: false });
  await troupe.work(slow, { timings: { joinDelayMs: 0 }, retry: { delayMs: 1, delayMsMax: 5 } });
  const asked = troupe.agent(slow, "a", { timeoutMs: 8000 }).work("hard");
  const own = { type: "slow", key: "a" };
  const kinds = async (): Promise<readonly string[]> =>
    (await troupe.log.journal(own, 0)).map(({ record }) => decodeJournalRecord(record).kind);
  await vi.waitFor(async () => expect((await kinds()).length).toBeGreaterThan(0));
  broker.goBack(1);
  // The place of what was lost is taken before anybody looks.
  const other = troupe.agent(slow, "b", { timeoutMs: 8000 }).work("other");
  await vi.waitFor(() => expect(broker.entries().length).toBeGreaterThan(1));
  gate.resolve();
  expect(await Promise.all([asked, other])).toEqual(["hard", "other"]);
});
