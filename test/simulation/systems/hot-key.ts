/**
 * Hot keys: bursts for two counters, so that mailboxes run far ahead of their commits and chains
 * are long. A counter sends a running total to its ledger; the totals arrive in order, none twice,
 * none left out.
 */
import assert from "node:assert/strict";

import { agent, type Troupe } from "@troupe/core";
import type { Chance, Stage, System } from "@troupe/testing";
import { z } from "zod";

const total = z.object({ total: z.number() });

const ledger = agent("ledger")
  .state({ totals: [] as readonly number[] })
  .event("noted", total, ({ totals }, event) => ({ totals: [...totals, event.total] }))
  .on("note", total, (ctx, message) => ctx.emit.noted(message));

const counter = agent("counter")
  .state({ count: 0 })
  .event("counted", z.object({ by: z.number() }), ({ count }, { by }) => ({ count: count + by }))
  .on("count", z.object({ by: z.number(), tell: z.boolean() }), (ctx, { by, tell }) => {
    ctx.emit.counted({ by });
    if (tell) ctx.send(ledger, ctx.agent.key).note({ total: ctx.state.count });
    return ctx.state.count;
  });

const keys = ["hot", "warm"] as const;

/** @param failed what becomes of a message that is refused */
export async function sendCounts(
  client: Troupe,
  stage: Stage,
  count: number,
  failed: (thrown: unknown) => void = fail,
): Promise<void> {
  const withinMs = stage.chance.pick([1, 200]);
  const send = async (_index: number, chance: Chance): Promise<void> => {
    const key = chance.happens(0.8) ? "hot" : "warm";
    const message = { by: 1, tell: chance.happens(0.3) };
    await client.send(counter, key).count(message).catch(failed);
  };
  await stage.times(count, send, { withinMs });
}

function fail(thrown: unknown): never {
  throw thrown;
}

export const hotKey: System = {
  name: "hot-key",
  agents: [counter, ledger],
  partitions: 2,
  drive: async (client, stage) => {
    await sendCounts(client, stage, 40);
    await stage.times(2, async (index) => {
      const key = keys[index] ?? "hot";
      const count = await client
        .agent(counter, key, { timeoutMs: 600_000 })
        .count({ by: 0, tell: true });
      assert.ok(count >= 0);
    });
  },
  check: (history) => {
    for (const key of keys) {
      const told = history
        .turns(counter, key)
        .filter(({ record }) => record.sent.length > 0)
        .map(({ record }) => record.reply);
      // A turn before its own message is of one that the log has lost.
      const noted = history
        .turns(ledger, key)
        .filter(({ record, revision }) => record.inputPosition < revision)
        .flatMap(({ record }) =>
          record.events.map(({ data }) => (data as { total: number }).total),
        );
      assert.deepEqual(noted, told, `the totals of ${key}`);
    }
  },
};
