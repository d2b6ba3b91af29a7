/**
 * Texts that are measured in a pipeline, with a stage in bulk and one in parallel, some shaky, some
 * refused, some saved by a fall-back, and asked for by many, of whom some give up early. Every job
 * that somebody wants comes to the one end that its text has, every stage is completed once, and
 * every asker who waits is told the same.
 */
import assert from "node:assert/strict";

import { BatchFailure, pipeline, Reject } from "@troupe/core";
import { AskDeadlineError, PipelineStageError } from "@troupe/core/errors";
import type { JobEvents } from "@troupe/core/engine";
import type { Stage, System } from "@troupe/testing";
import { z } from "zod";

/** The services of the run that is going on; runs follow one another. */
const services = { wait: async (_delayMs: number): Promise<void> => undefined, calls: 0 };

async function call(): Promise<void> {
  services.calls += 1;
  await services.wait(services.calls % 9);
}

const measure = pipeline("measure", z.object({ words: z.array(z.string()) }))
  .stage("check", async (ctx, { words }) => {
    if (words.includes("rude")) throw new Reject("rude");
    await ctx.step("look", call);
    if (words.includes("shaky") && ctx.message.attempt < 2) throw new Error("not yet");
    return words;
  })
  .batch(
    "bulk",
    async (ctx, items) => {
      const marks = await ctx.step("mark", async (wanted) => {
        await call();
        return wanted.map(() => "!");
      });
      if (items.some((words) => words.includes("poison"))) throw new Error("something is bad");
      return items.map((words, index) =>
        words.includes("dull")
          ? new BatchFailure(new Reject("dull"))
          : words.map((word) => `${word}${marks[index]}`),
      );
    },
    { size: 4, waitMs: 20, fallback: (_, words) => words.map((word) => `${word}?`) },
  )
  .parallel("lengths", { each: (words) => words, limit: 2 }, async (ctx, word) => {
    await ctx.step("measure", call);
    if (word === "endless!") throw new Reject("too long");
    return word.length;
  })
  .stage("sum", (_, lengths) => lengths.join("+"));

const vocabulary = ["a", "bee", "three", "shaky", "rude", "poison", "dull", "endless"] as const;
const plain = ["a", "bee", "three"] as const;

/** End that a job comes to: its answer, or the stage that refuses it. */
function endOf(words: readonly string[]): string {
  if (words.includes("rude")) return "check";
  const isSaved = words.includes("poison") || words.includes("dull");
  if (words.includes("endless") && !isSaved) return "lengths";
  return words.map((word) => word.length + 1).join("+");
}

const keys = ["one", "two", "three", "four", "five", "six"] as const;

export const pipelineSystem: System = {
  name: "pipeline",
  agents: measure.agents,
  settings: { retry: { delayMs: 10, delayMsMax: 100, attemptsMax: 4 } },
  drive: async (client, stage: Stage) => {
    services.calls = 0;
    services.wait = (delayMs) => stage.wait(delayMs);
    const withinMs = stage.chance.pick([1, 100, 3000]);
    const texts = keys.map(() => {
      const count = stage.chance.between(0, 4);
      const odd = stage.chance.happens(0.5);
      return Array.from({ length: count }, () => stage.chance.pick(odd ? vocabulary : plain));
    });
    await stage.times(
      12,
      async (index, chance) => {
        const job = index % keys.length;
        const [key, words] = [keys[job] ?? "", texts[job] ?? []];
        if (chance.happens(0.3)) {
          await client.send(measure, key).run({ words });
          return;
        }
        if (chance.happens(0.4)) {
          const impatient = client.agent(measure, key, { timeoutMs: chance.between(1, 300) });
          const end = await impatient.run({ words }).catch(stageThatFailed);
          assert.ok(end === gaveUp || end === endOf(words), `the answer of ${key}: ${end}`);
          return;
        }
        const answer = client.agent(measure, key, { timeoutMs: 3_600_000 }).run({ words });
        assert.equal(await answer.catch(stageThatFailed), endOf(words), `the answer of ${key}`);
      },
      { withinMs },
    );
    // What was stopped goes on.
    for (const [job, key] of keys.entries()) {
      await client.send(measure, key).run({ words: texts[job] ?? [] });
    }
  },
  check: (history) => {
    for (const key of history.keys(measure)) {
      const { failure, input, results, stage, status } = history.state(measure.job, key);
      const { words } = input as { readonly words: readonly string[] };
      const end = failure === undefined ? results["sum"] : stage;
      assert.equal(end, endOf(words), `the end of ${key}`);
      assert.equal(status, failure === undefined ? "done" : "failed");
      const completed = history
        .turns(measure, key)
        .flatMap(({ record }) => record.events.flatMap(completion));
      assert.deepEqual(completed, [...new Set(completed)], `what ${key} completed twice`);
      if (failure === undefined) assert.equal(completed.length, 4 + words.length);
    }
  },
};

/** Completion that an event tells: a stage, or one part of it. */
function completion({ data, type }: { readonly data: unknown; readonly type: string }): string[] {
  if (!["completed", "gathered", "joined"].includes(type)) return [];
  const { part, stage } = data as Partial<JobEvents["gathered"]>;
  return [`${stage} ${part ?? ""}`];
}

const gaveUp = "gave up";

function stageThatFailed(thrown: unknown): string {
  if (thrown instanceof AskDeadlineError) return gaveUp;
  if (thrown instanceof PipelineStageError) return thrown.details.stage;
  throw thrown;
}
