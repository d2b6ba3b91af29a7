/**
 * A read model beside the agents: every worker's process runs the same projection into a database
 * whose transactions take their time, fail, or are kept without an answer, while processes die in
 * the middle of them. The model is the fold of a beginning of the log, up to its checkpoint, and
 * has everything in the end.
 */
import assert from "node:assert/strict";

import { agent, memoryModel, memorySink, projection, type MemorySink } from "@troupe/core";
import { SinkUnavailableError } from "@troupe/core/errors";
import { decodeJournalRecord } from "@troupe/core/operate";
import type { History, Stage, System } from "@troupe/testing";
import { z } from "zod";

const counted = z.object({ n: z.number() });

const counter = agent("counter")
  .state({ count: 0 })
  .event("counted", counted, ({ count }) => ({ count: count + 1 }))
  .on("count", z.object({ times: z.number() }), (ctx, { times }) => {
    for (let n = 0; n < times; n++) ctx.emit.counted({ n });
  });

const rows = projection(
  "rows",
  memoryModel<string[]>(() => []),
).on(
  counter,
  "counted",
  (model, { n }, { agent: { key }, position }) => void model.push(`${key}@${position}.${n}`),
);

const keys = ["one", "two", "three"] as const;

/** The database of the run that is going on; runs follow one another. */
let database: { readonly stage: Stage; readonly sink: MemorySink } | undefined;

function databaseOf(stage: Stage): MemorySink {
  if (database?.stage !== stage) database = { stage, sink: memorySink() };
  return database.sink;
}

/** Transactions take up to 30 ms; one in ten does not happen, and one in ten is not answered. */
function slowSink(stage: Stage): MemorySink {
  const { chance } = stage;
  const sink = databaseOf(stage);
  const maybeFail = (): void => {
    if (chance.happens(0.1)) throw new SinkUnavailableError("No answer, says the simulation.");
  };
  return {
    ...sink,
    apply: async (definition, move, work) => {
      const stored = await sink.apply(definition, move, async (handle) => {
        await work(handle);
        await stage.wait(chance.next() * 30);
        maybeFail();
      });
      maybeFail();
      return stored;
    },
  };
}

export const projected: System = {
  name: "projected",
  agents: counter,
  beside: (troupe, stage) =>
    troupe.project(rows, slowSink(stage), {
      batchSizeMax: stage.chance.pick([1, 3, 500]),
      retry: { delayMs: 10, delayMsMax: 100 },
    }),
  drive: async (client, stage) => {
    await stage.times(16, async (_, chance) => {
      await client.send(counter, chance.pick(keys)).count({ times: chance.between(0, 3) });
    });
    const asked = keys.map((key) =>
      client.agent(counter, key, { timeoutMs: 600_000 }).count({ times: 1 }),
    );
    await Promise.all(asked);
    const last = (): readonly string[] => databaseOf(stage).read(rows);
    for (
      let round = 0;
      round < roundsMax && last().length < foldOf(stage.broker.entries()).length;
      round++
    ) {
      await stage.wait(100);
    }
  },
  check: (history) => {
    assert.deepEqual(database?.sink.read(rows), foldOf(history.entries), "the read model");
  },
};

function foldOf(entries: History["entries"]): readonly string[] {
  return entries.flatMap((entry) => {
    if (entry.kind !== "turn") return [];
    const { agent: id, entry: stored } = entry;
    const decoded = decodeJournalRecord(stored.record);
    const events = decoded.kind === "turn" ? decoded.turn.events : [];
    return events.map(({ data }) => {
      const { n } = data as z.infer<typeof counted>;
      return `${id.key}@${stored.revision}.${n}`;
    });
  });
}

/** Rounds after which the projection has caught up, with time to spare. */
const roundsMax = 600;
