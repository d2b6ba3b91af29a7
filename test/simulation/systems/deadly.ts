/**
 * Messages that end their process: some kill it, some block it until somebody kills it. Each costs
 * a bounded number of processes and becomes one dead letter; no other message suffers, whichever
 * handlers ran beside it.
 */
import assert from "node:assert/strict";

import { agent } from "@troupe/core";
import type { History, System } from "@troupe/testing";
import { z } from "zod";

const job = z.object({ id: z.string(), how: z.enum(["good", "kills", "blocks"]) });

const miner = agent("miner")
  .state({ dug: [] as readonly string[] })
  .event("dug", z.object({ id: z.string() }), ({ dug }, { id }) => ({ dug: [...dug, id] }))
  .on("dig", job, async (ctx, { id }) => {
    await Promise.resolve();
    ctx.emit.dug({ id });
  });

const keys = ["one", "two", "three", "four"] as const;
/** Runs that may end with their process before the message is given up. */
const deathsMax = 3;

/** Number of times that a process ended in the run that is going on; runs follow one another. */
let deaths = new Map<string, number>();

export const deadly: System = {
  name: "deadly",
  agents: miner,
  // That a holder died is seen from the floors.
  faults: { "lose-floors": 0 },
  settings: { retry: { delayMs: 10, delayMsMax: 100, deathsMax } },
  fatal: ({ payload }) => {
    const { how, id } = payload as z.infer<typeof job>;
    if (how === "good") return undefined;
    deaths.set(id, (deaths.get(id) ?? 0) + 1);
    return how;
  },
  drive: async (client, stage) => {
    deaths = new Map();
    await stage.times(12, async (index, chance) => {
      const how = chance.happens(0.15) ? chance.pick(["kills", "blocks"]) : "good";
      await client.send(miner, chance.pick(keys)).dig({ id: `job-${index}`, how });
    });
  },
  check: (history) => {
    for (const key of keys) checkKey(history, key);
    for (const [id, count] of deaths) {
      // A first run is not written down, and workers that take each other for dead may each begin.
      assert.ok(count <= 4 * deathsMax, `${count} processes ended by ${id}`);
    }
  },
};

function checkKey(history: History, key: string): void {
  const expected: string[] = [];
  for (const { record } of history.turns(miner, key)) {
    const input = history.inputs.get(record.inputPosition);
    assert.ok(input !== undefined);
    const { how, id } = job.parse(history.payload(input));
    if (how === "good") {
      assert.equal(record.failure, undefined, `${id} of ${key}`);
      expected.push(id);
    } else assert.equal(record.failure?.code, "process-died", `${id} of ${key}`);
  }
  assert.deepEqual(history.state(miner, key).dug, expected, `what ${key} dug`);
}
