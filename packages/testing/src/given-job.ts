/**
 * A pipeline's stages in one sentence: given a job with this input and what its first stages made,
 * when a stage runs, then it makes that.
 *
 *   await givenJob(enrich, { text: "a\nb" })
 *     .completed("clean", { parts: ["a", "b"] })
 *     .when("score")
 *     .then({ result: [1, 2] });
 *
 * The job goes through the real engine, on a log of its own in memory. Nothing is tried twice
 * unless the stage has a retry policy of its own, and agents that are asked answer what `answering`
 * says.
 */
import type { AgentReference, Pipeline } from "@troupe/core";
import type { ErrorData } from "@troupe/core/log";
import type { StageDefinition } from "@troupe/core/engine";
import { expectNamed } from "./given-expectation.ts";
import type { JobCase } from "./given-job-run.ts";
import { runJob } from "./given-job-run.ts";
import type { Published, ReplyOf, SentMessage } from "./given.ts";
import { lastWord } from "./last-word.ts";

/** Results of the stages that ran. */
export interface JobOutcome<Results, Result> {
  /** Result of the stage, or of the last one; undefined when one failed. */
  readonly result: Result | undefined;
  /** Results of all stages that are completed, by stage. */
  readonly results: Partial<Results>;
  /** The failure of the stage itself, which its dead letter would have. */
  readonly failure: ErrorData | undefined;
  /** Messages of the stages' own; not those with which a pipeline goes on. */
  readonly sent: readonly SentMessage[];
  readonly published: readonly Published[];
}

/**
 * Results that the stages should have; an absent one is not compared, except that one must fail
 * only when `failure` is there.
 */
export interface JobExpectation<Results, Result> extends Partial<
  Omit<JobOutcome<Results, Result>, "failure">
> {
  /** The properties that count, such as `{ code: "rejected" }`. */
  readonly failure?: Partial<ErrorData>;
}

/** The stages run. */
export interface WhenJob<Results, Result> {
  /** Resolves with the outcome. Rejects with an AssertionError when it differs. */
  then(expected: JobExpectation<Results, Result>): Promise<JobOutcome<Results, Result>>;
  /** Results of the stages, with nothing expected of them. */
  outcome(): Promise<JobOutcome<Results, Result>>;
}

export interface GivenJob<Answer, Results> {
  /**
   * A stage that is completed, and its result.
   *
   * @example
   * ```ts
   * givenJob(enrich, { url: "https://example.com" }).completed("fetch", "a page");
   * ```
   */
  completed<Name extends keyof Results & string>(
    stage: Name,
    result: Results[Name],
  ): GivenJob<Answer, Results>;
  /**
   * Another agent's answer to an ask, whatever its key; the last one given for a message counts.
   *
   * @example
   * ```ts
   * givenJob(enrich, { url: "https://example.com" }).answering(account, "deposit", 10);
   * ```
   */
  answering<Others, Name extends keyof Others & string>(
    other: AgentReference<Others>,
    message: Name,
    reply: ReplyOf<Others[Name]>,
  ): GivenJob<Answer, Results>;
  /**
   * Run this stage, and no other; all before it are completed.
   *
   * @example
   * ```ts
   * const made = await givenJob(enrich, { url: "https://example.com" }).when("fetch").outcome();
   * ```
   */
  when<Name extends keyof Results & string>(stage: Name): WhenJob<Results, Results[Name]>;
  /**
   * All stages run that are not completed.
   *
   * @example
   * ```ts
   * const made = await givenJob(enrich, { url: "https://example.com" }).whenRun().outcome();
   * ```
   */
  whenRun(): WhenJob<Results, Answer>;
}

export interface GivenJobOptions {
  /** The job's id. @default "one" */
  readonly key?: string;
}

/**
 * A job of this pipeline, with this input.
 *
 * @example
 * ```ts
 * await givenJob(enrich, { url: "https://example.com" })
 *   .completed("fetch", "a page")
 *   .when("sum-up")
 *   .then({ result: "short" });
 * ```
 */
export function givenJob<Input, Parsed, Answer, Results>(
  { job, stages, type }: Pipeline<Input, Parsed, Answer, Results>,
  input: Input,
  { key = "one" }: GivenJobOptions = {},
): GivenJob<Answer, Results> {
  const schema = job.messages["run"]?.schema;
  const declaration = { pipeline: type, stages, schema };
  return givenWith<Answer, Results>({ ...declaration, input, key, completed: {}, answers: [] });
}

type Before = Omit<JobCase, "last" | "only">;

function givenWith<Answer, Results>(before: Before): GivenJob<Answer, Results> {
  return {
    completed: (stage, result) =>
      givenWith({ ...before, completed: { ...before.completed, [stage]: result } }),
    answering: ({ type }, message, reply) =>
      givenWith({ ...before, answers: [...before.answers, { type, message, reply }] }),
    when: (stage) => whenOf({ ...before, last: stage, only: true }),
    whenRun: () => whenOf({ ...before, last: lastOf(before.stages), only: false }),
  };
}

function lastOf(stages: readonly StageDefinition[]): string {
  return stages.at(-1)?.name ?? "";
}

function whenOf<Results, Result>(which: JobCase): WhenJob<Results, Result> {
  const run = async (): Promise<JobOutcome<Results, Result>> =>
    (await runJob(which)) as JobOutcome<Results, Result>;
  return {
    outcome: run,
    // oxlint-disable-next-line unicorn/no-thenable -- the last word of the sentence.
    then: lastWord(
      run,
      (outcome, expected) =>
        expectNamed(outcome, expected, ["result", "results", "sent", "published"]),
      "`.then({ … })` or `.outcome()`",
    ),
  };
}
