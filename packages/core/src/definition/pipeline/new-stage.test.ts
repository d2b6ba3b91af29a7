/** I15: a stage that only newer code knows waits for it, beside workers with old code. */
import { expect, it, onTestFinished, vi } from "vitest";
import { z } from "zod";

import type { Troupe } from "@troupe/core";
import type { Log } from "@troupe/core/log";
import { createTroupe, pipeline } from "@troupe/core";
import { createMemoryBroker } from "@troupe/testing";

const quick = {
  timings: { joinDelayMs: 0, heartbeatMs: 10, deadAfterMs: 200, handoverTimeoutMs: 500 },
  retry: { attemptsMax: 1, delayMs: 1, delayMsMax: 2 },
} as const;

function connected(log: Log, faults: string[] = []): Troupe {
  const troupe = createTroupe(log, { onFault: false });
  troupe.inspect((event) => {
    if (event.kind === "fault") faults.push(event.failure.code);
  });
  return troupe;
}

it("a job between its old and its new stage waits while only old code is there", async () => {
  const [cleaned, begun] = [vi.fn<() => void>(), Promise.withResolvers<void>()];
  let isStuck = true;
  const old = pipeline("texts", z.string()).stage("clean", (_, text) => {
    cleaned();
    return text.trim();
  });
  const added = old.stage("shout", async (_, text) => {
    begun.resolve();
    if (isStuck) await Promise.withResolvers<never>().promise;
    return text.toUpperCase();
  });
  const broker = createMemoryBroker({ partitions: 1 });
  const client = connected(broker.connect());
  onTestFinished(() => client.close());
  const dying = broker.connect();
  await connected(dying).work(added, { ...quick, id: "new" });
  const answer = client.agent(added, "job").run(" hello ");
  await begun.promise;
  dying.crash();
  const faults: string[] = [];
  const oldCode = connected(broker.connect(), faults);
  onTestFinished(() => oldCode.close());
  await oldCode.work(old, { ...quick, id: "old" });
  await vi.waitFor(() => expect(faults).toContain("unknown-here"));
  // Another job, that the old code completes, is not held up by it.
  expect(await client.agent(old, "other").run(" bye ")).toBe("bye");
  expect(broker.entries().filter(({ kind }) => kind === "dead-letter")).toEqual([]);
  isStuck = false;
  await oldCode.close();
  const newCode = connected(broker.connect());
  onTestFinished(() => newCode.close());
  await newCode.work(added, { ...quick, id: "newer" });
  expect(await answer).toBe("HELLO");
  expect(cleaned).toHaveBeenCalledTimes(2);
});
