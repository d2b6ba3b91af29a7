/** Movement of a job from stage to stage: the events and messages of its turns. */
import { agentNamed } from "../agent-reference.ts";
import { PipelineStageError } from "../../errors/pipeline-errors.ts";
import type { ErrorData } from "../../errors/troupe-error.ts";
import { emitFailure } from "./emit-failure.ts";
import type { LateReplies } from "../demand.ts";
import type { Context } from "../context.ts";
import type { FailureContext } from "../failure-context.ts";
import type { Demand } from "../demand.ts";
import type { JobEvents, JobParts, JobState } from "./job-state.ts";
import { partOf, partType } from "./part-agent.ts";
import type { Job, StageDefinition } from "./stage-definition.ts";

export type JobContext = Context<JobState, JobEvents> & LateReplies;
export type FailedJobContext = FailureContext<JobState, JobEvents> & LateReplies;

/** The stages of a pipeline in their order, and the facts that follow from it. */
export interface Course {
  readonly pipeline: string;
  readonly stages: readonly StageDefinition[];
  /**
   * Time that each `run` wants the job at most, in milliseconds; undefined means until it is done.
   */
  readonly timeoutMs: number | undefined;
}

/**
 * Send the parts that may go and, as the state was `before` in this turn, had not gone; when all
 * are back, the stage is completed.
 */
export function handOut(
  context: JobContext,
  course: Course,
  stage: string,
  before: Pick<JobParts, "again" | "sent">,
): unknown {
  const { parts, status } = context.state;
  if (parts === undefined || status !== "running") return undefined;
  for (const index of before.again) {
    if (!parts.again.includes(index) && !Object.hasOwn(parts.results, index)) {
      handOutPart(context, course, stage, index);
    }
  }
  for (let index = before.sent; index < parts.sent; index++) {
    handOutPart(context, course, stage, index);
  }
  if (parts.done < parts.items.length) return undefined;
  const next = nextOf(course, stage);
  const { asks } = context.state;
  context.emit.joined({ stage, next });
  return proceed(context, stage, { asks, next });
}

/** Hands out a part, under the job's present deadline and askers. */
export function handOutPart(
  context: Pick<JobContext, "agent" | "sendFor" | "state">,
  { pipeline }: Course,
  stage: string,
  index: number,
): void {
  const { parts, runs } = context.state;
  const message = { job: context.agent.key, index, item: parts?.items[index], runs };
  partOf(context, demandOf(context.state), partType(pipeline, stage), message).run(message);
}

function demandOf({ asks, deadlineMs, onlyAsks }: JobState): Demand {
  return { deadlineMs, askers: onlyAsks && asks.length <= askersMax ? asks : undefined };
}

/** Number of askers that a message names at most. */
const askersMax = 16;

/** JOB-1: whether the job is at this stage; a job that stopped or failed there goes on. */
export function isAt(context: Pick<JobContext, "emit" | "state">, stage: string): boolean {
  const { stage: at, status } = context.state;
  if (at !== stage || status === "new" || status === "done") return false;
  if (status !== "running") context.emit.resumed({ stage });
  return true;
}

/** Input of a stage: the result of the one before it. */
export function itemOf(
  { agent: { key }, state }: Pick<JobContext, "agent" | "state">,
  { stages }: Course,
  stage: string,
): { readonly item: unknown; readonly job: Job<unknown, unknown> } {
  const { input, results } = state;
  const before = stages[stages.findIndex(({ name }) => name === stage) - 1];
  const item = before === undefined ? input : results[before.name];
  return { item, job: { key, input, results } };
}

/** The stage made its result. Returns the answer when it was the last one. */
export function complete(
  context: JobContext,
  course: Course,
  stage: string,
  result: unknown,
): unknown {
  const next = nextOf(course, stage);
  const { asks } = context.state;
  context.emit.completed({ stage, result, next });
  return proceed(context, stage, { asks, next });
}

function proceed(
  context: JobContext,
  stage: string,
  { asks, next }: { readonly asks: readonly string[]; readonly next: string | undefined },
): unknown {
  if (next !== undefined) {
    begin(context, next);
    return undefined;
  }
  context.answerNow(asks);
  return context.state.results[stage];
}

/** Message that a job sends itself to come to a stage. */
export interface StageMessage {
  /** The job's `runs` when the message was sent. */
  readonly runs: number;
}

/** The message with which a job comes to a stage. */
export function begin(
  context: Pick<JobContext, "agent" | "sendFor" | "state">,
  message: string | undefined,
): void {
  const { key, type } = context.agent;
  if (message === undefined) return;
  const { runs } = context.state;
  context.sendFor(demandOf(context.state), agentNamed(type), key)[message]?.({ runs });
}

function nextOf({ stages }: Course, stage: string): string | undefined {
  return stages[stages.findIndex(({ name }) => name === stage) + 1]?.name;
}

/** The stage at which a job ended, and the reason. */
export interface JobEnding {
  readonly stage: string;
  readonly part?: number;
  readonly failure: ErrorData;
}

/** JOB-2: the job failed, and its askers hear why. */
export function fail(
  context: FailedJobContext,
  { pipeline }: Course,
  { failure, part, stage }: JobEnding,
): void {
  const job = context.agent.key;
  const { asks } = context.state;
  const error = emitFailure(failure, (known) => {
    const told = PipelineStageError.of({ pipeline, job, stage, part, failure: known }).toData();
    context.emit.failed({ stage, part, failure: told });
    return told;
  });
  context.answerNow(asks, error);
}

/**
 * JOB-4: nobody wants the job any more. Its askers are told the same as an ask whose turn was given
 * up; at the asker's own deadline either of the two answers may come first.
 */
export function stop(
  context: FailedJobContext,
  { pipeline }: Course,
  { failure, part, stage }: JobEnding,
): void {
  const job = context.agent.key;
  const { asks, status } = context.state;
  const told: ErrorData = {
    ...failure,
    message: `The job ${job} of the pipeline ${pipeline} was stopped in its stage ${stage}, because nobody waits for it any more: run it again to let it go on.`,
    details: { pipeline, job, stage, part, kept: false },
  };
  context.emit.stopped({ stage, part, failure: told });
  if (status === "running") context.answerNow(asks, told);
}
