/**
 * Calls to a model under limits that all workers share. Seen from the model, there are never more
 * at once and never more within any second than the limits say, whichever workers die; and every
 * call is made in the end.
 *
 * A call ends well before the lease of its worker could be given away, so that what a dead worker
 * had begun still counts here.
 */
import assert from "node:assert/strict";

import { agent, limit } from "@troupe/core";
import type { Stage, System } from "@troupe/testing";
import { z } from "zod";

const concurrency = 3;
const rate = { count: 12, perMs: 1000 };
const calls = limit("calls", { concurrency });
const tokens = limit("tokens", { rate });
const callMsMax = 400;

interface Call {
  readonly atMs: number;
  /** Time at which it ends, also when its worker dies or stands still. */
  readonly endMs: number;
  readonly cost: number;
}

/** The model of the run that is going on; runs follow one another. */
class Model {
  readonly #stage: Pick<Stage, "now" | "wait">;
  readonly calls: Call[] = [];

  constructor(stage: Pick<Stage, "now" | "wait">) {
    this.#stage = stage;
  }

  async complete(forMs: number, cost: number): Promise<string> {
    const atMs = this.#stage.now();
    this.calls.push({ atMs, endMs: atMs + forMs, cost });
    await this.#stage.wait(forMs);
    return "done";
  }

  /** The most calls at once. */
  get atWorkMax(): number {
    const atWork = (ms: number): number =>
      this.calls.filter(({ atMs, endMs }) => atMs <= ms && ms < endMs).length;
    return Math.max(0, ...this.calls.map(({ atMs }) => atWork(atMs)));
  }

  /** The largest cost within any time as long as the rate's. */
  most(): number {
    return this.calls.reduce((most, { atMs: endMs }) => {
      const within = this.calls.filter(({ atMs }) => atMs <= endMs && atMs > endMs - rate.perMs);
      return Math.max(
        most,
        within.reduce((sum, { cost }) => sum + cost, 0),
      );
    }, 0);
  }
}

let model = new Model({ now: () => 0, wait: async () => undefined });

const writer = agent("writer")
  .state({ drafts: 0 })
  .event("drafted", z.object({ id: z.string() }), ({ drafts }) => ({ drafts: drafts + 1 }))
  .on(
    "draft",
    z.object({ id: z.string(), forMs: z.number(), cost: z.number() }),
    async (ctx, message) => {
      const { cost, forMs, id } = message;
      await ctx.step("model", () => model.complete(forMs, cost), {
        limit: [calls, { limit: tokens, cost }],
      });
      ctx.emit.drafted({ id });
    },
  );

const drafts = 20;
const keys = ["one", "two", "three", "four", "five", "six", "seven", "eight"] as const;

export const limits: System = {
  name: "limits",
  agents: writer,
  workers: 3,
  // Handlers that wait for a limit leave their places, which the watch over places does not see.
  settings: { handlersMax: 1000, retry: { delayMs: 10, delayMsMax: 100 } },
  drive: async (client, stage: Stage) => {
    model = new Model(stage);
    await stage.times(drafts, async (index, chance) => {
      const forMs = chance.between(1, callMsMax);
      const message = { id: `d${index}`, forMs, cost: chance.between(1, 5) };
      await client.send(writer, chance.pick(keys)).draft(message);
    });
  },
  check: (history) => {
    assert.ok(model.atWorkMax <= concurrency, `${model.atWorkMax} calls at once`);
    assert.ok(model.most() <= rate.count, `${model.most()} tokens within ${rate.perMs} ms`);
    for (const key of keys) {
      for (const { record } of history.turns(writer, key)) {
        assert.equal(record.failure, undefined, `turn ${record.turn} of ${key}`);
      }
    }
  },
};
