/**
 * Waiting for people: a purchase waits as state for a decision that comes days later, while no
 * worker is alive at all. An open purchase is reminded; a decided one is decided once.
 */
import assert from "node:assert/strict";

import { agent } from "@troupe/core";
import type { System } from "@troupe/testing";
import { z } from "zod";

const decision = z.object({ approved: z.boolean(), by: z.string() });

interface Purchase {
  readonly status: "new" | "waiting" | "approved" | "declined";
  readonly reminders: number;
  readonly by: string;
}

const unknown: Purchase = { status: "new", reminders: 0, by: "" };

const purchase = agent("purchase")
  .state(unknown)
  .event("requested", z.object({}), (state) => ({ ...state, status: "waiting" }))
  .event("reminded", z.object({}), (state) => ({ ...state, reminders: state.reminders + 1 }))
  .event("decided", decision, (state, { approved, by }) => ({
    ...state,
    by,
    status: approved ? "approved" : "declined",
  }))
  .on("request", z.object({}), (ctx) => {
    ctx.emit.requested({});
    ctx.send(desk, "main").list({ purchase: ctx.agent.key });
  })
  .on("remind", z.object({}), (ctx) => {
    if (ctx.state.status === "waiting") ctx.emit.reminded({});
  })
  .on("decide", decision, (ctx, message) => {
    if (ctx.state.status !== "waiting") return ctx.state.status;
    ctx.emit.decided(message);
    ctx.send(desk, "main").unlist({ purchase: ctx.agent.key });
    return ctx.state.status;
  });

const listed = z.object({ purchase: z.string() });

/** Desk of what waits for a person. */
const desk = agent("desk")
  .state({ open: [] as readonly string[] })
  .event("listed", listed, ({ open }, event) => ({ open: [...open, event.purchase] }))
  .event("unlisted", listed, ({ open }, event) => ({
    open: open.filter((name) => name !== event.purchase),
  }))
  .on("list", listed, (ctx, message) => ctx.emit.listed(message))
  .on("unlist", listed, (ctx, message) => ctx.emit.unlisted(message));

const dayMs = 24 * 60 * 60 * 1000;
const purchases = 5;

export const humanWait: System = {
  name: "human-wait",
  agents: [purchase, desk],
  drive: async (client, stage) => {
    await stage.times(purchases, async (index) => client.send(purchase, `p${index}`).request({}));
    if (stage.chance.happens(0.5)) await stage.wait(stage.chance.magnitude(1, 3000));
    await stage.stopWorkers();
    await stage.wait(3 * dayMs);
    await stage.times(4, async (_, chance) => {
      await client.send(purchase, `p${chance.between(0, purchases - 1)}`).remind({});
    });
    stage.startWorkers();
    // Two people decide at about the same time, and each hears which decision holds.
    await stage.times(2 * purchases, async (index, chance) => {
      const key = `p${index % purchases}`;
      const approved = chance.happens(0.5);
      const asked = client.agent(purchase, key, { timeoutMs: dayMs });
      const status = await asked.decide({ approved, by: `person-${index}` });
      assert.match(status, /^(?:new|approved|declined)$/, key);
    });
  },
  check: (history) => {
    const waiting = history
      .keys(purchase)
      .filter((key) => history.state(purchase, key).status === "waiting");
    const open = history.keys(desk).flatMap((key) => history.state(desk, key).open);
    assert.deepEqual(open.toSorted(), waiting.toSorted(), "the desk lists what waits");
    for (const key of history.keys(purchase)) {
      const events = history.turns(purchase, key).flatMap(({ record }) => record.events);
      const decisions = events.filter(({ type }) => type === "decided");
      assert.ok(decisions.length <= 1, `${key} was decided ${decisions.length} times`);
    }
  },
};
