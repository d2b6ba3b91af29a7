/** Number of an agent's turns that leave in one commit (COMMIT-2). */
import { expect, test } from "vitest";
import { z } from "zod";

import type { TurnCommit } from "@troupe/core/log";
import { agent, createTroupe } from "@troupe/core";
import { createMemoryBroker } from "@troupe/testing";

const counter = agent("counter")
  .state({ count: 0 })
  .event("added", z.number(), ({ count }, by) => ({ count: count + by }))
  .on("add", z.number(), (ctx, by) => ctx.emit.added(by))
  .on("remind", z.number(), (ctx, by) => {
    ctx.emit.added(by);
    ctx.after(3_600_000).add(by);
  });

const atOnce = { timings: { joinDelayMs: 0 } } as const;

/** Number of turns in each commit, when so many messages wait for one agent. */
async function commitsOf(messages: readonly ("add" | "remind")[]): Promise<readonly number[]> {
  const broker = createMemoryBroker({ limits: { chainMin: 4 } });
  await using sender = createTroupe(broker.connect());
  const first = await sender.work(counter, atOnce);
  await first.stop();
  const busy = sender.send(counter, "busy");
  for (const message of messages) await busy[message](1);

  const log = broker.connect();
  const sizes: number[] = [];
  const commit = log.commit.bind(log);
  log.commit = (turns: readonly TurnCommit[]) => {
    sizes.push(turns.length);
    return commit(turns);
  };
  await using worker = createTroupe(log);
  const allCommitted = Promise.withResolvers<void>();
  let committed = 0;
  worker.inspect(({ kind }) => {
    if (kind === "turn.committed" && ++committed === messages.length) allCommitted.resolve();
  });
  await worker.work(counter, atOnce);
  await allCommitted.promise;
  return sizes;
}

test("few finished turns are committed one after the other", async () => {
  expect(await commitsOf(["add", "add", "add"])).toEqual([1, 1, 1]);
});

test("many finished turns are committed together", async () => {
  expect(await commitsOf(["add", "add", "add", "add"])).toEqual([4]);
});

test("turns that store more than their record are committed together, however few", async () => {
  expect(await commitsOf(["add", "remind", "add"])).toEqual([3]);
});
