/**
 * An agent that is parked when it is erased: messages that it deferred since belong to its new
 * life.
 */
import assert from "node:assert/strict";

import { agent } from "@troupe/core";
import type { Log } from "@troupe/core/log";
import type { LogCheck } from "../log-harness.ts";
import { rejectsWith } from "../observe.ts";
import { anything } from "./ledger.ts";
import { Stage } from "./stage.ts";

export const erasureDeferredChecks: readonly LogCheck[] = [
  {
    name: "ERASE-3, PARK-4: what a parked agent deferred behind its erasure is handled in the new life",
    async run(harness) {
      await using stage = new Stage(harness);
      const failing = agent("failing")
        .state<readonly string[]>([])
        .event("said", anything<string>(), (all, text) => [...all, text])
        .on(
          "say",
          anything<string>(),
          (ctx, text) => {
            if (text === "bad") throw new Error("not now");
            ctx.emit.said(text);
          },
          { retry: { attemptsMax: 1, exhausted: "park" } },
        )
        .on("look", anything<object>(), (ctx) => ctx.state);
      const { heard, troupe } = await stage.host(failing);
      await troupe.send(failing, "42").say("bad");
      await heard.has("agent.parked");
      await rejectsWith(troupe.agent(failing, "42").say("before"), "agent-parked");
      let isFirst = true;
      // Behind the position up to which everything goes, and before the tombstone.
      const tamper = (inner: Log): Partial<Log> => ({
        commit: async (turns) => {
          if (isFirst) {
            isFirst = false;
            await rejectsWith(troupe.agent(failing, "42").say("meanwhile"), "agent-parked");
          }
          return inner.commit(turns);
        },
      });
      await (await stage.client({ tamper })).erase(failing, "42");
      await troupe.agent(failing, "42").say("after");
      assert.deepEqual(await troupe.agent(failing, "42").look({}), ["meanwhile", "after"]);
    },
  },
];
