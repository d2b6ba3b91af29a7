/** Batch handlers that throw, and cannot say for which of their messages (BATCH-3, I10). */
import assert from "node:assert/strict";
import { setImmediate as nextTurnOfTheLoop } from "node:timers/promises";

import type { Agent, RetryPolicy } from "@troupe/core";
import type { None } from "@troupe/core/engine";
import { agent, Reject } from "@troupe/core";
import type { LogCheck } from "../log-harness.ts";
import { rejectsWith } from "../observe.ts";
import type { Note } from "./ledger.ts";
import { lettersOf, noteSchema } from "./ledger.ts";
import { Stage } from "./stage.ts";

interface Messages {
  readonly note: { readonly input: Note; readonly reply: string };
}
type Book = Agent<unknown, None, None & Messages>;

/** Answers each text, and throws when `bad` is among them. */
function book(thrown: Error, sizes: number[], retry: Partial<RetryPolicy>): Book {
  return agent("ledger").onBatch(
    "note",
    noteSchema,
    (_, items) => {
      sizes.push(items.length);
      const texts = items.map(({ data }) => data.text);
      if (texts.includes("bad")) throw thrown;
      return texts;
    },
    { batch: { size: 3, waitMs: 3_600_000 }, retry },
  );
}

export const failingBatchChecks: readonly LogCheck[] = [
  {
    name: "BATCH-3: a refusal that the handler throws is final for no message but the one that it is about",
    async run(harness) {
      await using stage = new Stage(harness);
      const sizes: number[] = [];
      const bulk = book(new Reject("unwanted"), sizes, {});
      const { troupe } = await stage.host(bulk);
      const ask = (text: string): Promise<string> => troupe.agent(bulk, text).note({ text });
      const asked = Promise.all([ask("a"), ask("b")]);
      await Promise.all([asked, rejectsWith(ask("bad"), "rejected")]);
      assert.deepEqual(await asked, ["a", "b"]);
      assert.deepEqual(sizes, [3, 1, 1, 1]);
      assert.deepEqual(await lettersOf(await stage.log()), []);
    },
  },
  {
    name: "BATCH-3: each message of a failed batch has a run alone, also when it may have one run only",
    async run(harness) {
      await using stage = new Stage(harness);
      const sizes: number[] = [];
      const bulk = book(new Error("broken"), sizes, { attemptsMax: 1, exhausted: "park" });
      const { troupe } = await stage.host(bulk);
      const ask = (text: string): Promise<string> => troupe.agent(bulk, text).note({ text });
      const asked = Promise.all([ask("a"), ask("b")]);
      await Promise.all([asked, rejectsWith(ask("bad"), "agent-parked")]);
      assert.deepEqual(await asked, ["a", "b"]);
      assert.deepEqual(sizes, [3, 1, 1, 1]);
    },
  },
  {
    name: "BATCH-3: a batch that fails after its messages were given up changes nothing for their next runs",
    async run(harness) {
      await using stage = new Stage(harness);
      const next = Promise.withResolvers<void>();
      const alone: string[] = [];
      const bulk = agent("ledger").onBatch(
        "note",
        noteSchema,
        async (_, items) => {
          if (items.length === 1) {
            alone.push(...items.map(({ data }) => data.text));
            next.resolve();
            // The first call has failed by then.
            await nextTurnOfTheLoop();
          } else await next.promise;
          throw new Error("broken");
        },
        {
          batch: { size: 2, waitMs: 3_600_000 },
          retry: { attemptsMax: 2, timeoutMs: 100 },
        },
      );
      const { heard, troupe } = await stage.host(bulk);
      for (const text of ["a", "b"]) await troupe.send(bulk, text).note({ text });
      await heard.has("turn.committed", 2);
      assert.deepEqual(alone.toSorted(), ["a", "b"]);
    },
  },
];
