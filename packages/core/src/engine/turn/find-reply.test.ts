import { expect, it } from "vitest";
import { z } from "zod";

import { agent, createTroupe } from "@troupe/core";
import { createMemoryBroker } from "@troupe/testing";

import { findReply } from "./find-reply.ts";

it("looks on for a reply behind a whole page of steps", async () => {
  const clerk = agent("clerk").on("note", z.object({}), async (ctx) => {
    for (const name of ["first", "second", "third"]) await ctx.step(name, async () => name);
    return "noted";
  });
  const broker = createMemoryBroker({ journalPageMax: 1 });
  await using troupe = createTroupe(broker.connect());
  await troupe.work(clerk, { timings: { joinDelayMs: 0 } });
  await troupe.agent(clerk, "a").note({});
  const input = broker.entries().find(({ kind }) => kind === "input");
  const position = input?.kind === "input" ? input.input.position : 0;
  const reply = await findReply(troupe.log, { type: "clerk", key: "a" }, position);
  expect(reply).toEqual({ value: "noted" });
});
