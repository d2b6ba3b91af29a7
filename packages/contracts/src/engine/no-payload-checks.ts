/** Messages that say nothing but their name: asked, sent, by timer, and from other languages. */
import assert from "node:assert/strict";

import { agent, agentNamed } from "@troupe/core";
import type { LogCheck } from "../log-harness.ts";
import { rejectsWith } from "../observe.ts";
import { anything, type Note } from "./ledger.ts";
import { Stage } from "./stage.ts";

const clock = agent("clock")
  .state(0)
  .event("ticked", anything<Note>(), (count) => count + 1)
  .on("tick", (context) => {
    context.emit.ticked({ text: "tick" });
    return context.state;
  })
  .on("later", (context) => {
    context.send(clockByName, context.agent.key).tick?.(undefined);
    context.after(0).tick();
  });
const clockByName = agentNamed("clock");

export const noPayloadChecks: readonly LogCheck[] = [
  {
    name: "a message without payload needs no schema and no argument, however it is sent",
    async run(harness) {
      await using stage = new Stage(harness);
      const { troupe } = await stage.host(clock);
      const main = troupe.agent(clock, "main");
      assert.equal(await main.tick(), 1);
      await troupe.send(clock, "main").tick();
      await main.later();
      const untyped = troupe.agent(clockByName, "main");
      await untyped["tick"]?.({});
      await untyped["tick"]?.(null);
      await stage.until("all are handled", async () => {
        return (await troupe.state(clock, "main")).state === 6;
      });
      assert.equal(await main.tick(undefined, { id: "7" }), 7);
    },
  },
  {
    name: "a payload for a message that takes none is refused by name",
    async run(harness) {
      await using stage = new Stage(harness);
      const { troupe } = await stage.host(clock);
      const main = troupe.agent(clock, "main");
      await rejectsWith(main.tick({ text: "much" } as unknown as void), "schema");
      const { tick } = troupe.agent(clockByName, "main");
      assert.ok(tick !== undefined);
      for (const payload of [[], 0, "", new Map()]) await rejectsWith(tick(payload), "schema");
    },
  },
];
