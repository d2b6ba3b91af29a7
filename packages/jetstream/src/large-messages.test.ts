/**
 * Large messages on a real server: nothing is read ahead beyond the bounds, and the server never
 * has reason to drop the connection as one that does not read (I7).
 */
import { agent, createTroupe, type InspectionEvent } from "@troupe/core";
import { afterAll, beforeAll, expect, test } from "vitest";
import { z } from "zod";

import { connectLog } from "./index.ts";
import { startNatsServer, type NatsServer } from "./server/index.ts";

let server: NatsServer;
beforeAll(async () => {
  // A tenth of what the server has by default, so that a tenth of the messages shows it.
  server = await startNatsServer({ extraConfig: ["max_pending: 40MB"] });
});
afterAll(() => server.stop());

const bytes = 200_000;
const count = 600;

test("a backlog of 120 MB for slow handlers ends no connection", { timeout: 60_000 }, async () => {
  const opened = Promise.withResolvers<void>();
  let begun = 0;
  let handled = 0;
  const doc = agent("doc").on("index", z.string(), async () => {
    begun += 1;
    await opened.promise;
    handled += 1;
  });
  await using client = createTroupe(await connectLog({ servers: server.url }));
  await client.log.register({
    type: "doc",
    messages: ["index"],
    topics: [],
    events: [],
    version: "1",
  });
  const text = "x".repeat(bytes);
  for (let i = 0; i < count; i += 50) {
    await Promise.all(
      Array.from({ length: 50 }, (_, j) => client.send(doc, `d${i + j}`).index(text)),
    );
  }
  await using host = createTroupe(await connectLog({ servers: server.url }));
  const heard: InspectionEvent[] = [];
  host.inspect((event) => heard.push(event));
  const windowBytesMax = 16 * 1_000_000;
  await host.work(doc, { windowBytesMax, timings: { joinDelayMs: 0 } });
  // Half of them wait with their handlers, the others are read ahead.
  const fit = (2 * windowBytesMax) / bytes;
  await expect.poll(() => begun, { timeout: 20_000 }).toBeGreaterThanOrEqual(fit / 2);
  await client.log.flush();
  expect(begun).toBeLessThanOrEqual(fit);
  opened.resolve();
  await expect.poll(() => handled, { timeout: 40_000 }).toBe(count);
  expect(heard.filter(({ kind }) => kind === "log.status")).toEqual([]);
});
