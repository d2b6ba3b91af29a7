import { AssertionError } from "node:assert";

import { describe, expect, expectTypeOf, test } from "vitest";
import { z } from "zod";

import { agent, BatchFailure, Reject, pipeline, topic } from "@troupe/core";
import { givenJob } from "./given-job.ts";

const scored = topic("scored", z.object({ total: z.number() }));
const weights = agent("weights").on("weightOf", z.object({ word: z.string() }), () => 1);
const shelf = agent("shelf").on("keep", z.object({ words: z.number() }), () => undefined);

const enrich = pipeline("enrich", z.object({ text: z.string().trim() }))
  .stage("clean", (ctx, { text }) => {
    if (text === "bad") throw new Reject("unwanted", { text });
    ctx.send(shelf, "all").keep({ words: text.split(" ").length });
    return { words: text.split(" ") };
  })
  .batch(
    "embed",
    (_, items) =>
      items.map(({ words }) =>
        words.includes("dull") ? new BatchFailure(new Error("dull")) : [...words],
      ),
    { size: 32, waitMs: 60_000, fallback: () => ["saved"] },
  )
  .parallel("score", { each: (words) => words, limit: 2 }, async (ctx, word, { index }) => {
    const weight = await ctx.ask(weights, "all").weightOf({ word });
    return weight * word.length + index;
  })
  .stage("answer", (ctx, scores, { input, results }) => {
    const total = scores.reduce((sum, each) => sum + each, 0);
    ctx.publish(scored, "all", { total });
    return { total, text: input.text, words: results.clean.words.length };
  });

const givenOne = () => givenJob(enrich, { text: " a bee " });
const givenEmbedded = () =>
  givenOne()
    .completed("clean", { words: ["a", "bee"] })
    .completed("embed", ["a", "bee"]);

describe("a job, given what its first stages made", () => {
  test("a stage makes that of the job's input", async () => {
    const sent = [{ to: "shelf/all", message: "keep", data: { words: 2 } }];
    const result = { words: ["a", "bee"] };
    await givenOne()
      .when("clean")
      .then({ result, sent, published: [], results: { clean: result } });
  });

  test("a batch stage gets the item, and its fall-back what it refuses", async () => {
    const outcome = await givenOne()
      .completed("clean", { words: ["x"] })
      .when("embed")
      .then({ result: ["x"] });
    expectTypeOf(outcome.result).toEqualTypeOf<string[] | undefined>();
    await givenOne()
      .completed("clean", { words: ["dull"] })
      .when("embed")
      .then({ result: ["saved"] });
  });

  test("a parallel stage gathers its parts, which are answered", async () => {
    await givenEmbedded()
      .answering(weights, "weightOf", 10)
      .when("score")
      .then({ result: [10, 31], sent: [] });
  });

  test("a stage looks back, and publishes", async () => {
    await givenEmbedded()
      .completed("score", [1, 2])
      .when("answer")
      .then({
        result: { total: 3, text: "a bee", words: 2 },
        published: [{ topic: "scored", source: "all", data: { total: 3 } }],
        sent: [],
      });
  });

  test("it runs to its end", async () => {
    const run = givenOne().answering(weights, "weightOf", 1).whenRun();
    const { results } = await run.then({ result: { total: 5, text: "a bee", words: 2 } });
    expect(results).toMatchObject({ clean: { words: ["a", "bee"] }, score: [1, 4] });
  });

  test("a stage fails by its own name", async () => {
    const failure = { code: "rejected", details: { reason: "unwanted", data: { text: "bad" } } };
    await givenJob(enrich, { text: "bad" }).whenRun().then({ failure, results: {} });
  });
});

describe("it fails", () => {
  test("when what a stage does differs", async () => {
    const when = givenOne().when("clean");
    await expect(when.then({ result: { words: [] } })).rejects.toThrow(AssertionError);
    await expect(when.then({ failure: { code: "rejected" } })).rejects.toThrow(AssertionError);
    const bad = givenJob(enrich, { text: "bad" }).when("clean");
    await expect(bad.then({})).rejects.toThrow("The turn failed");
  });

  test("when a stage before it is not completed by the case", async () => {
    const gap = givenOne().completed("embed", []).when("answer");
    await expect(gap.outcome()).rejects.toThrow("must be the first of these");
    await expect(givenOne().when("answer").outcome()).rejects.toThrow("must be the first of these");
    await expect(givenEmbedded().when("clean").outcome()).rejects.toThrow(
      "must be the first of these",
    );
  });

  test("when the input does not fit, or the case itself is awaited", async () => {
    const odd = givenJob(enrich, { text: 5 as never }).whenRun();
    await expect(odd.outcome()).rejects.toMatchObject({ code: "schema" });
    const awaited = Promise.resolve<unknown>(givenOne().when("clean"));
    await expect(awaited).rejects.toThrow("not the case itself");
  });

  test("to compile with a stage or a result that the pipeline does not have", () => {
    // @ts-expect-error -- no such stage
    expect(() => givenOne().when("vanish")).not.toThrow();
    // @ts-expect-error -- not its result
    expect(() => givenOne().completed("clean", { words: 5 })).not.toThrow();
  });
});
