/**
 * Documents that are embedded in bulk, by a model that takes its time and fails now and then, and
 * shelves that are filled in bulk per key. Order per key, one embedding per document, failures that
 * cost one message only, and a publication per document hold whatever happens to the workers.
 */
import assert from "node:assert/strict";

import { agent, Reject } from "@troupe/core";
import type { Stage, System } from "@troupe/testing";
import { z } from "zod";

/** The embedding model of the run that is going on; runs follow one another. */
const model = {
  wait: async (_delayMs: number): Promise<void> => undefined,
  calls: 0,
  embedded: new Map<string, number>(),
};

async function embedAll(keys: readonly string[]): Promise<readonly number[]> {
  model.calls += 1;
  const call = model.calls;
  await model.wait(call % 11);
  return keys.map((key) => {
    const vector = model.embedded.get(key) ?? call;
    model.embedded.set(key, vector);
    return vector;
  });
}

const filed = z.object({ id: z.string(), vector: z.number() });

const shelf = agent("shelf")
  .state({ ids: [] as readonly string[] })
  .event("filed", filed, ({ ids }, { id }) => ({ ids: [...ids, id] }))
  .onBatch(
    "file",
    filed,
    (_, batch) => {
      for (const item of batch) item.emit.filed(item.data);
    },
    { batch: { by: "key", size: 3, waitMs: 20 } },
  );

const embedder = agent("embedder")
  .state({ done: [] as readonly z.infer<typeof filed>[] })
  .event("embedded", filed, ({ done }, event) => ({ done: [...done, event] }))
  .onBatch(
    "embed",
    z.object({ id: z.string(), kind: z.enum(["plain", "refused", "shaky", "poison"]) }),
    async (ctx, batch) => {
      const vectors = await ctx.step("embed", batch, (items, { idempotencyKeys }) =>
        embedAll(idempotencyKeys.slice(0, items.length)),
      );
      // The bad one is not told apart from the others.
      if (batch.some(({ data, message }) => data.kind === "poison" && message.attempt < 3)) {
        throw new Error("something in the batch is bad");
      }
      return batch.map((item, index) => {
        const { id, kind } = item.data;
        if (kind === "refused") return item.fail(new Reject("unwanted"));
        if (kind === "shaky" && item.message.attempt < 2) return item.fail(new Error("not yet"));
        const vector = vectors[index] ?? 0;
        item.emit.embedded({ id, vector });
        item.send(shelf, item.agent.key).file({ id, vector });
        return item.state.done.length;
      });
    },
    { batch: { size: 6, waitMs: 30 } },
  );

const keys = ["one", "two", "three"] as const;

export const batch: System = {
  name: "batch",
  agents: [embedder, shelf],
  settings: { retry: { delayMs: 10, delayMsMax: 100, attemptsMax: 6 } },
  drive: async (client, stage: Stage) => {
    model.embedded.clear();
    model.calls = 0;
    model.wait = (delayMs) => stage.wait(delayMs);
    const withinMs = stage.chance.pick([1, 100, 2000]);
    await stage.times(
      16,
      async (index, chance) => {
        const key = chance.happens(0.5) ? "one" : chance.pick(keys);
        const kind = chance.pick(["plain", "plain", "plain", "refused", "shaky", "poison"]);
        await client.send(embedder, key).embed({ id: `d${index}`, kind });
      },
      { withinMs },
    );
  },
  check: (history) => {
    for (const key of keys) {
      const turns = history.turns(embedder, key);
      const failures = turns.filter(({ record }) => record.failure !== undefined);
      for (const { record } of failures) assert.equal(record.failure?.code, "rejected");
      const { done } = history.state(embedder, key);
      assert.equal(done.length + failures.length, turns.length, `every document of ${key}`);
      const replies = turns.flatMap(({ record }) => (record.failure ? [] : [record.reply]));
      assert.deepEqual(
        replies,
        done.map((_, index) => index + 1),
        `what the handler saw of ${key}`,
      );
      for (const { record, steps } of turns) {
        const recorded = steps.map(({ value }) => value);
        assert.deepEqual(recorded.length, 1, `one embedding per document of ${key}`);
        const [event] = record.events.map(({ data }) => data as z.infer<typeof filed>);
        if (event !== undefined) assert.equal(event.vector, recorded[0], `the one of ${event.id}`);
      }
      const inOrder = done.map(({ id }) => id);
      assert.deepEqual(history.state(shelf, key).ids, inOrder, `the shelf of ${key}`);
    }
  },
};
