/**
 * Types that the compiler infers for a pipeline without one annotation; wrong uses are compile
 * errors.
 */
import { describe, expect, expectTypeOf, test } from "vitest";
import { z } from "zod";

import { BatchFailure, pipeline } from "@troupe/core";
import type { AskCalls } from "../agent-calls.ts";
import type { MessagesOf } from "../agent.ts";
import type { Job, Troupe } from "@troupe/core";

const document = z.object({ text: z.string(), at: z.string().transform((at) => new Date(at)) });

const start = pipeline("enrich", document);
const enrich = start
  .stage("clean", async (context, item, job) => {
    expectTypeOf(item).toEqualTypeOf<{ text: string; at: Date }>();
    expectTypeOf(job.input).toEqualTypeOf<{ text: string; at: Date }>();
    expectTypeOf(context).not.toHaveProperty("state");
    return { words: item.text.split(" ") };
  })
  .batch(
    "embed",
    (_, items, jobs) => {
      expectTypeOf(items).toEqualTypeOf<readonly { words: string[] }[]>();
      expectTypeOf(jobs).toExtend<readonly Job<unknown, { clean: { words: string[] } }>[]>();
      return items.map(({ words }) =>
        words.length === 0 ? new BatchFailure("empty") : { words, vector: [words.length] },
      );
    },
    { size: 32, waitMs: 20, fallback: (_, { words }) => ({ words, vector: [0] }) },
  )
  .parallel(
    "score",
    { each: (item) => item.words, limit: 8 },
    async (_, word, part) => {
      expectTypeOf(word).toEqualTypeOf<string>();
      expectTypeOf(part.index).toEqualTypeOf<number>();
      return word.length;
    },
    { fallback: (_, word, failure) => (failure.code === "rejected" ? word.length : 0) },
  )
  .stage("answer", (_, scores, { results }) => {
    expectTypeOf(scores).toEqualTypeOf<readonly number[]>();
    expectTypeOf(results.embed.vector).toEqualTypeOf<number[]>();
    return { scores, first: results.clean.words[0] };
  });

interface Answer {
  scores: readonly number[];
  first: string | undefined;
}

describe("a pipeline", () => {
  test("is asked for what its last stage returns, with what its schema accepts", () => {
    const ask = (troupe: Troupe) => troupe.agent(enrich, "job-1").run({ text: "a", at: "2026" });
    expectTypeOf(ask).returns.resolves.toEqualTypeOf<Answer>();
    const wrong = (troupe: Troupe) =>
      // @ts-expect-error the schema accepts a string.
      troupe.agent(enrich, "job-1").run({ text: 5, at: "2026" });
    expect([ask, wrong]).toHaveLength(2);
  });

  test("has an agent of its jobs", () => {
    type Calls = AskCalls<MessagesOf<typeof enrich.job>>;
    expectTypeOf<ReturnType<Calls["run"]>>().resolves.toEqualTypeOf<Answer>();
    expect(enrich.agents.map(({ type }) => type)).toEqual(["enrich", "enrich-score"]);
    expect(enrich.job).toBe(enrich.agents[0]);
  });

  test("is hosted with at least one stage", () => {
    // @ts-expect-error it has no stage yet.
    const host = (troupe: Troupe) => troupe.work(start);
    expect(host).toBeTypeOf("function");
  });

  test("has a fall-back of the stage's own type", () => {
    // @ts-expect-error the stage makes a number.
    start.stage("count", ({ message }) => message.attempt, { fallback: () => "none" });
    start.stage("count", ({ message }) => message.attempt, { fallback: async () => 0 });
    expect(start).not.toHaveProperty("agents");
  });
});

describe("the declaration of a pipeline", () => {
  const stage = start.stage("one", () => 1);

  test.each([
    ["a name that is no token", () => pipeline("a b", document)],
    ["a stage's name that is no token", () => start.stage("a b", () => 1)],
    ["a time of none", () => pipeline("p", document, { timeoutMs: 0 })],
    ["two stages of one name", () => stage.stage("one", () => 1)],
    ["a stage with the name of a job's own message", () => start.stage("run", () => 1)],
    ["a limit of none", () => start.parallel("p", { each: () => [], limit: 0 }, () => 1)],
    ["an unusable batch", () => start.batch("b", () => [], { size: 0 })],
    ["an unusable retry policy", () => start.stage("s", () => 1, { retry: { attemptsMax: 0 } })],
  ])("refuses %s", (_, declare) => {
    expect(declare).toThrow(expect.objectContaining({ code: "definition" }));
  });

  test("can be shared and extended", () => {
    expect(stage.stage("two", () => 2).stages).toHaveLength(2);
    expect(stage.stages).toHaveLength(1);
  });
});
