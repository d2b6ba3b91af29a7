/** Commits of one record: those on their way are counted, and each ends (COMMIT-5). */
import { expect, test } from "vitest";
import { z } from "zod";

import { agent, createTroupe } from "@troupe/core";
import { createMemoryBroker } from "@troupe/testing";

const echo = agent("echo").on("say", z.number(), (_, n) => n);
const oneAtATime = { timings: { joinDelayMs: 0 }, singlesMax: 1 } as const;

test("a commit that was stored makes room for the next one", async () => {
  await using troupe = createTroupe(createMemoryBroker().connect());
  await troupe.work(echo, oneAtATime);
  const asked = ["a", "b", "c"].map((key, n) => troupe.agent(echo, key).say(n));
  expect(await Promise.all(asked)).toEqual([0, 1, 2]);
});

test.each(["unavailable", "lost-ack"] as const)("so does one that failed (%s)", async (fault) => {
  const broker = createMemoryBroker();
  await using troupe = createTroupe(broker.connect(), { onFault: false });
  await troupe.work(echo, oneAtATime);
  broker.failNextCommit(fault);
  const asked = ["a", "b", "c"].map((key, n) => troupe.agent(echo, key).say(n));
  expect(await Promise.all(asked)).toEqual([0, 1, 2]);
});
