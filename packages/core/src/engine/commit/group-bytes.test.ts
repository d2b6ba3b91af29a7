import { expect, test } from "vitest";
import { z } from "zod";

import { agent, createTroupe } from "@troupe/core";
import { createMemoryBroker, overlay } from "@troupe/testing";

const mebibyte = 1024 * 1024;

test("turns of many agents that are large together leave in several commits (I7)", async () => {
  const text = "x".repeat(400_000);
  const inbox = agent("inbox").on("take", z.string(), () => null);
  const outbox = agent("outbox").on("post", z.object({}), (ctx) => {
    ctx.send(inbox, ctx.agent.key).take(text);
  });
  const broker = createMemoryBroker({ partitions: 1 });
  await using client = createTroupe(broker.connect());
  const registered = await client.work([inbox, outbox], { timings: { joinDelayMs: 0 } });
  await registered.stop();
  for (let n = 0; n < 8; n++) await client.send(outbox, `key-${n}`).post({});
  const connection = broker.connect();
  const sizes: number[] = [];
  await using troupe = createTroupe(
    overlay(connection, {
      commit: async (turns) => {
        const payloads = turns.flatMap(({ outgoing }) => outgoing.map(({ payload }) => payload));
        sizes.push(payloads.reduce((sum, { byteLength }) => sum + byteLength, 0));
        return connection.commit(turns);
      },
    }),
  );
  await troupe.work([inbox, outbox], { timings: { joinDelayMs: 0 }, groupBytesMax: mebibyte });
  for (let n = 0; n < 8; n++) await troupe.agent(outbox, `key-${n}`).post({});
  expect(Math.max(...sizes)).toBeLessThanOrEqual(mebibyte);
});
