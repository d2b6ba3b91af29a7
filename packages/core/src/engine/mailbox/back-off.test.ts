/** Pauses between tries: longer and longer, up to a bound. */
import { expect, it } from "vitest";
import { z } from "zod";

import { agent, createTroupe } from "@troupe/core";
import { LogUnavailableError } from "@troupe/core/errors";
import { createMemoryBroker, overlay } from "@troupe/testing";

import { backoffMs, retryPolicyDefault } from "../../definition/retry-policy.ts";

it("doubles up to its bound, however often it is tried (I7)", () => {
  const policy = { ...retryPolicyDefault, delayMs: 100, delayMsMax: 1000 };
  const delays = [1, 2, 3, 4, 5, 100, 2000].map((attempts) => backoffMs(policy, attempts, () => 1));
  expect(delays).toEqual([100, 200, 400, 800, 1000, 1000, 1000]);
  expect(backoffMs(policy, 2000, () => 0)).toBe(500);
});

it("waits between commits that keep failing, instead of asking the log at once again", async () => {
  const broker = createMemoryBroker({ partitions: 1 });
  const connection = broker.connect();
  const paused = Promise.withResolvers<void>();
  let failing = true;
  const log = overlay(connection, {
    commit: async (turns) => {
      if (failing) throw new LogUnavailableError("No answer, says the test.");
      return connection.commit(turns);
    },
  });
  const clock = {
    now: () => Date.now(),
    monotonicMs: () => performance.now(),
    after(delayMs: number, action: () => void) {
      // Between half of the policy's delay and all of it; nothing else takes so long here.
      const isPause = delayMs >= retryMs / 2 && delayMs <= retryMs;
      if (isPause) {
        failing = false;
        paused.resolve();
      }
      const timer = setTimeout(action, isPause ? 0 : delayMs);
      return () => clearTimeout(timer);
    },
  };
  await using troupe = createTroupe(log, { clock });
  const clerk = agent("clerk").on("note", z.object({}), () => "noted");
  await troupe.work(clerk, {
    timings: { joinDelayMs: 0 },
    retry: { delayMs: retryMs, delayMsMax: retryMs },
  });
  const asked = troupe.agent(clerk, "a").note({});
  await paused.promise;
  expect(await asked).toBe("noted");
});

const retryMs = 7_777_777;
