/**
 * Timers: plans set, replace and cancel them in any order, for themselves and for others, some in
 * runs that fail at first. Each one fires as the log port's rule LOG-6 says, each firing is one
 * turn, and what an agent believes to be set is what the log keeps (I3).
 */
import assert from "node:assert/strict";

import { agent } from "@troupe/core";
import type { Chance, System } from "@troupe/testing";
import { z } from "zod";

import { checkTimers } from "./timer-rules.ts";

const ring = z.object({
  /** The arming that sent it: a timer that was set again under its id is another one. */
  arming: z.string(),
  /** Number of one-off timers that follow, each set by the firing before. */
  more: z.number(),
});

const change = z.object({
  id: z.string(),
  how: z.enum(["after", "at", "every", "elsewhere", "cancel"]),
  ms: z.number(),
  more: z.number(),
});

const armed = z.object({ id: z.string(), arming: z.string(), beats: z.boolean() });

/** Hears of timers that another agent set for it. */
const bell = agent("bell")
  .state({ rung: [] as readonly string[] })
  .event("rang", z.object({ arming: z.string() }), ({ rung }, { arming }) => ({
    rung: [...rung, arming],
  }))
  .on("ring", ring, (ctx, { arming }) => ctx.emit.rang({ arming }));

interface Plans {
  /** By timer id. */
  readonly armed: Readonly<Record<string, z.infer<typeof armed>>>;
  readonly beats: number;
}

const noPlans: Plans = { armed: {}, beats: 0 };

const planner = agent("planner")
  .state(noPlans)
  .event("armed", armed, (state, event) => ({
    ...state,
    armed: { ...state.armed, [event.id]: event },
  }))
  .event("disarmed", z.object({ id: z.string() }), (state, { id }) => {
    const { [id]: _, ...left } = state.armed;
    return { ...state, armed: left };
  })
  .event("beat", z.object({}), (state) => ({ ...state, beats: state.beats + 1 }))
  .on("ring", ring, (ctx, { arming, more }) => {
    const { timer: id = "" } = ctx.message;
    const own = ctx.state.armed[id];
    // It had begun to fire when it was cancelled or replaced.
    if (own?.arming !== arming) return;
    if (own.beats) return ctx.emit.beat({});
    if (more === 0) return ctx.emit.disarmed({ id });
    const next = { arming: `${arming}'`, more: more - 1 };
    ctx.emit.armed({ id, arming: next.arming, beats: false });
    ctx.after(50, { id }).ring(next);
  })
  .on(
    "plan",
    z.object({ name: z.string(), shaky: z.boolean(), changes: z.array(change) }),
    async (ctx, { changes, name, shaky }) => {
      for (const [index, { how, id, more, ms }] of changes.entries()) {
        const message = { arming: `${name}.${index}`, more };
        const arm = (beats: boolean): void => ctx.emit.armed({ ...message, id, beats });
        if (how === "cancel") {
          ctx.emit.disarmed({ id });
          ctx.cancel(id);
        } else if (how === "elsewhere") {
          // Its own agent does not hear of it, so it believes in no timer of this id.
          ctx.emit.disarmed({ id });
          ctx.after(ms, { id, agent: bell, key: ctx.agent.key }).ring(message);
        } else if (how === "every") {
          arm(true);
          ctx.every(ms, { id }).ring(message);
        } else {
          arm(false);
          if (how === "after") ctx.after(ms, { id }).ring(message);
          else ctx.at(ctx.message.acceptedAtMs + ms, { id }).ring(message);
        }
      }
      await Promise.resolve();
      if (shaky && ctx.message.attempt < 3) throw new Error(`${name} is not ready`);
    },
  )
  .on("rest", z.object({}), (ctx) => {
    const open = Object.values(ctx.state.armed);
    for (const { id, beats } of open) {
      if (!beats) continue;
      ctx.cancel(id);
      ctx.emit.disarmed({ id });
    }
    return open.length;
  });

const keys = ["one", "two", "three"] as const;
const ids = ["tea", "bus", "nap"] as const;
const delayMsMax = 4000;
/** Rounds of a second in which everything that is set has fired, whatever goes wrong meanwhile. */
const roundsMax = 120;

export const timers: System = {
  name: "timers",
  agents: [planner, bell],
  settings: { retry: { delayMs: 10, delayMsMax: 100 } },
  drive: async (client, stage) => {
    const askOf = (key: string) => client.agent(planner, key, { timeoutMs: 3_600_000 });
    await stage.times(
      12,
      async (index, chance) => {
        const changes = Array.from({ length: chance.between(1, 3) }, () => drawChange(chance));
        const plan = { name: `plan-${index}`, shaky: chance.happens(0.2), changes };
        await askOf(chance.pick(keys)).plan(plan);
      },
      { withinMs: delayMsMax },
    );
    for (let round = 0; round < roundsMax; round++) {
      const open = await Promise.all(keys.map((key) => askOf(key).rest({})));
      if (open.every((count) => count === 0)) break;
      await stage.wait(1000);
    }
    // Those for others are known to nobody here.
    await stage.wait(delayMsMax);
  },
  check: (history) => {
    for (const key of keys) checkTimers(history, planner, key);
    for (const key of keys) assert.deepEqual(history.state(planner, key).armed, {}, key);
  },
};

function drawChange(chance: Chance): z.infer<typeof change> {
  const how = chance.pick(["after", "after", "at", "every", "elsewhere", "cancel"]);
  const ms = how === "every" ? 1000 * chance.between(1, 2) : chance.between(0, delayMsMax);
  // A time that is over fires at once.
  const early = how === "at" && chance.happens(0.3) ? 2000 : 0;
  return { id: chance.pick(ids), how, ms: ms - early, more: chance.between(0, 1) };
}
