/** The line for a permit: a mailbox that leaves it holds nothing up. */
import { expect, it } from "vitest";
import { z } from "zod";

import { agent, createTroupe } from "@troupe/core";
import { createMemoryBroker } from "@troupe/testing";

import { keyToToken } from "../../definition/message/key-token.ts";
import { partitionOfToken } from "../../definition/message/partition.ts";
import { assignPartitions } from "../ownership/assignment.ts";
import { PermitWait } from "./permit-wait.ts";
import { permits } from "../runtime/permits.ts";

it("gives the permit to the one behind who left the line, and does not call it", () => {
  const one = permits(1);
  one.take();
  const called: string[] = [];
  const [left, behind] = [new PermitWait(one), new PermitWait(one)];
  left.begin(() => called.push("left"));
  behind.begin(() => called.push("behind"));
  expect([left.leave(), left.leave()]).toEqual([true, false]);
  one.give();
  expect(called).toEqual(["behind"]);
});

it("hands over an agent that waits in the line, while the permit's holder goes on", async () => {
  const partitions = 2;
  const holders = assignPartitions(["stays", "joins"], partitions);
  const keysOf = (worker: string): readonly string[] =>
    Array.from({ length: 100 }, (_, index) => `key-${index}`).filter(
      (key) => holders[partitionOfToken(keyToToken(key), partitions)] === worker,
    );
  const [staying = ""] = keysOf("stays");
  const [moving = "", neighbour = ""] = keysOf("joins");
  const [begun, open] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
  let handled = 0;
  const clerk = agent("clerk")
    .on("note", z.string(), async ({ agent: { key } }) => {
      if (key === moving) return `handled ${++handled}`;
      begun.resolve();
      await open.promise;
      return "held on";
    })
    .on("look", z.object({}), () => handled);
  const settings = {
    timings: { joinDelayMs: 0, heartbeatMs: 10, handoverTimeoutMs: 600_000 },
    handlersMax: 1,
  };
  const broker = createMemoryBroker({ partitions });
  await using client = createTroupe(broker.connect());
  await using first = createTroupe(broker.connect());
  const released = Promise.withResolvers<void>();
  first.inspect((event) => {
    if (event.kind === "partition.released" && event.type === "clerk") released.resolve();
  });
  await first.work(clerk, { ...settings, id: "stays" });
  // Both are active from now on, and it is known that this handler returns at once.
  for (const key of [moving, neighbour]) await client.agent(clerk, key).look({});
  const holding = client.agent(clerk, staying).note("holds the permit");
  await begun.promise;
  await client.send(clerk, moving).note("waits for it");
  // It was read before this one, and is in the line.
  expect(await client.agent(clerk, neighbour).look({})).toBe(0);
  await using second = createTroupe(broker.connect());
  await second.work(clerk, { ...settings, id: "joins" });
  await released.promise;
  expect(await client.agent(clerk, moving).note("behind it")).toBe("handled 2");
  open.resolve();
  expect(await holding).toBe("held on");
});
