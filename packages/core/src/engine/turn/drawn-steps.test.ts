import { expect, it } from "vitest";
import { z } from "zod";

import { agent, createTroupe } from "@troupe/core";
import { createMemoryBroker } from "@troupe/testing";

it("records what a run drew with the next run, when its own record could not be made (STEP-3)", async () => {
  let failures = 1;
  const draws = agent("draws")
    .state({ id: "" })
    .event("named", z.string(), (_, id) => ({ id }))
    .on("name", z.object({}), (ctx) => ctx.emit.named(ctx.id()));
  await using troupe = createTroupe(createMemoryBroker().connect(), {
    interceptors: [
      {
        commit: (record, next) => {
          if (failures-- > 0) throw new Error("once");
          return next(record);
        },
      },
    ],
  });
  await troupe.work(draws, { timings: { joinDelayMs: 0 }, retry: { delayMs: 1, delayMsMax: 2 } });
  await troupe.agent(draws, "a").name({});
  for await (const { record, steps } of troupe.turns("draws", "a")) {
    expect(steps.map(({ value }) => value)).toEqual(record.events.map(({ data }) => data));
  }
});
