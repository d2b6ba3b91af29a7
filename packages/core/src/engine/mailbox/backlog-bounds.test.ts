/** A key that is behind holds a few messages in memory, and nothing after its worker stopped. */
import { expect, it } from "vitest";
import { z } from "zod";

import { agent, createTroupe } from "@troupe/core";
import { LogUnavailableError } from "@troupe/core/errors";
import { createMemoryBroker, overlay } from "@troupe/testing";
import { countingClock } from "../../../fixtures/counting-clock.ts";

const options = { timings: { joinDelayMs: 0 }, keyWindowMax: 4 } as const;

it("reads nothing back while its queue is more than half full (I7)", async () => {
  const entered = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
  const held = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
  const slow = agent("slow").on("work", z.number(), async ({ agent: { key } }, n) => {
    if (key === "neighbour") return n;
    entered[n]?.resolve();
    await held[n]?.promise;
    return n;
  });
  const broker = createMemoryBroker({ partitions: 1 });
  const connection = broker.connect();
  let readBack = 0;
  const log = overlay(connection, {
    inputsOf: async (...request) => {
      readBack += 1;
      return connection.inputsOf(...request);
    },
  });
  await using troupe = createTroupe(log);
  await troupe.work(slow, options);
  for (let n = 0; n < 40; n++) await troupe.send(slow, "behind").work(n);
  await entered[0]?.promise;
  // A message that was sent later to another key was read later.
  expect(await troupe.agent(slow, "neighbour").work(1)).toBe(1);
  expect(readBack).toBe(0);
  // The next one leaves three of four behind.
  held[0]?.resolve();
  await entered[1]?.promise;
  expect(readBack).toBe(0);
  held[1]?.resolve();
  expect(await troupe.agent(slow, "behind").work(40)).toBe(40);
  expect(readBack).toBeGreaterThan(0);
});

it("leaves no timer behind when a worker stops that waits to read back", async () => {
  const clock = countingClock();
  const failed = Promise.withResolvers<void>();
  const connection = createMemoryBroker({ partitions: 1 }).connect();
  const log = overlay(connection, {
    inputsOf: async () => {
      throw new LogUnavailableError("No answer, says the test.");
    },
  });
  const troupe = createTroupe(log, { clock, onFault: () => failed.resolve() });
  const slow = agent("slow").on("work", z.number(), (_, n) => n);
  const retry = { delayMs: 60_000, delayMsMax: 60_000 };
  const worker = await troupe.work(slow, { ...options, keyWindowMax: 1, retry });
  for (let n = 0; n < 10; n++) await troupe.send(slow, "behind").work(n);
  await failed.promise;
  await worker.stop();
  await troupe.close();
  expect(clock.waiting()).toBe(0);
});
