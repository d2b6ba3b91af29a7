/**
 * The agent of a pipeline's jobs: one message per stage, which it sends to itself.
 *
 * A stage is a turn, so its result and the message for the next stage commit together (I3), a stage
 * that was completed never runs again (I4), and between two stages nothing is held (I11).
 *
 *  JOB-1 A stage runs only while the job is at it: a message that comes twice, or late, does
 *        nothing.
 *  JOB-2 A message that fails for good, or cannot be read, fails the job in the same commit
 *     (`onFailed`, `onUnread`), so no job is left behind silently; a redriven one lets it go on.
 *  JOB-3 The job is enqueued once, by the first `run`. Every `run` gets the one answer, whenever it
 *        comes.
 *  JOB-4 A job is worked on as long as somebody wants it: then it stops, keeps what it completed,
 *     and goes on when it is run again (DESIGN.md, "How long a job is wanted").
 */
import type { UntypedMessages } from "../agent-reference.ts";
import type { Agent, HandlerOptions } from "../agent.ts";
import { agent } from "../agent.ts";
import { DefinitionError } from "../../errors/definition-errors.ts";
import type { ErrorData } from "../../errors/troupe-error.ts";
import type { Schema } from "../schema.ts";
import { saysGivenUp } from "../demand.ts";
import { ignore, isThenable } from "../../wire/thenable.ts";
import { anything } from "./anything.ts";
import { batchStageHandler } from "./batch-stage.ts";
import { emitFailure } from "./emit-failure.ts";
import type { Course, FailedJobContext, JobContext } from "./job-progress.ts";
import type { StageMessage } from "./job-progress.ts";
import { begin, complete, fail, handOut, handOutPart, isAt, itemOf, stop } from "./job-progress.ts";
import type { Asking, JobEvents, JobState } from "./job-state.ts";
import { asksMax, jobFolds, laterOf, newJob } from "./job-state.ts";
import type { GatherMessage } from "./part-agent.ts";
import { partNamed } from "./part-agent.ts";
import type { ParallelStage, SingleStage, StageDefinition } from "./stage-definition.ts";

export type JobAgent<Input, Answer> = Agent<
  JobState,
  JobEvents,
  { readonly run: { readonly input: Input; readonly reply: Answer } }
>;

type JobHandlerOptions = HandlerOptions<JobState, JobEvents, UntypedMessages, unknown>;
type AnyJobAgent = Agent<JobState, JobEvents, UntypedMessages>;

export function jobAgent(course: Course, schema: Schema): AnyJobAgent {
  let job = agent(course.pipeline).state<JobState>(newJob) as unknown as AnyJobAgent;
  for (const [name, fold] of Object.entries(jobFolds)) {
    job = job.event(name, anything(), fold as never);
  }
  job = job.on("run", schema, enqueue(course) as never);
  for (const stage of course.stages) job = withStage(job, course, stage);
  if (!course.stages.some(({ kind }) => kind === "parallel")) return job;
  const onFailed = (
    context: FailedJobContext,
    failure: ErrorData,
    { part, stage }: Pick<GatherMessage, "part" | "stage">,
  ): void => {
    if (awaits(context, stage, part)) fail(context, course, { stage, part, failure });
  };
  const onUnread = (context: FailedJobContext, failure: ErrorData): void => {
    const sender = partNamed(course.pipeline, context.message.sender);
    if (sender !== undefined) onFailed(context, failure, sender);
  };
  const options = { onFailed, onUnread } as unknown as JobHandlerOptions;
  return job.on("gather", anything(), gather(course) as never, options);
}

function enqueue(course: Course) {
  const {
    stages: [first],
    timeoutMs,
  } = course;
  return (context: JobContext, input: unknown): unknown => {
    const { failure, parts, results, stage = "", status } = context.state;
    if (status === "done") return results[stage];
    const asking = askingOf(context, timeoutMs);
    const { replyTo } = asking;
    if (status === "failed") context.answerNow(replyTo === undefined ? [] : [replyTo], failure);
    else if (status === "new") {
      context.emit.enqueued({ input, stage: first?.name ?? "", ...asking });
      begin(context, first?.name);
    } else if (status === "stopped") {
      context.emit.asked(asking);
      if (parts === undefined) begin(context, messageOf(context));
      else return handOut(context, course, stage, parts);
    } else if (changes(asking, context.state)) context.emit.asked(asking);
    return undefined;
  };
}

/** The job's asker and the time it still wants the job; its ask stays open. */
function askingOf(context: JobContext, timeoutMs = Infinity): Asking {
  const replyTo = context.answerLater();
  const { asks, status } = context.state;
  const isTold = status !== "running" || asks.length < asksMax;
  const { deadlineMs = Infinity } = context.demand;
  const untilMs = Math.min(deadlineMs, context.message.acceptedAtMs + timeoutMs);
  return {
    replyTo: isTold ? replyTo : undefined,
    deadlineMs: untilMs === Infinity ? undefined : untilMs,
  };
}

/** Whether it must be recorded that somebody else wants a running job. */
function changes({ deadlineMs, replyTo }: Asking, state: JobState): boolean {
  if (replyTo !== undefined || state.onlyAsks) return true;
  return laterOf(state.deadlineMs, deadlineMs) !== state.deadlineMs;
}

/** The message that brings the job to where it stopped. */
function messageOf({ state: { fallback, stage = "" } }: Pick<JobContext, "state">): string {
  return fallback === undefined ? stage : fallbackName(stage);
}

function withStage(job: AnyJobAgent, course: Course, stage: StageDefinition): AnyJobAgent {
  const { fallback, name, retry = {} } = stage;
  const onFailed = (
    context: FailedJobContext,
    failure: ErrorData,
    message: Partial<StageMessage>,
  ): void => {
    const { state } = context;
    if (state.stage !== name || state.status !== "running") return;
    if (saysGivenUp(failure, context.message.position)) {
      if (isWantedAnew(state, message.runs)) begin(context, messageOf(context));
      else stop(context, course, { stage: name, failure });
      return;
    }
    // A parallel stage itself only splits its item: its fall-back is for the parts.
    if (fallback === undefined || state.fallback !== undefined || stage.kind === "parallel") {
      return fail(context, course, { stage: name, failure });
    }
    emitFailure(failure, (known) => context.emit.fellBack({ stage: name, failure: known }));
    begin(context, fallbackName(name));
  };
  const options = { retry, onFailed } as unknown as JobHandlerOptions;
  const staged = declared(job, course, stage, options);
  if (fallback === undefined || stage.kind === "parallel") return staged;
  const work: SingleStage["work"] = (context, item) =>
    fallback(context, item, (context as JobContext).state.fallback as never);
  const handler = single(course, { ...stage, kind: "single", work });
  return staged.on(fallbackName(name), anything(), handler as never, options);
}

function declared(
  job: AnyJobAgent,
  course: Course,
  stage: StageDefinition,
  options: JobHandlerOptions,
): AnyJobAgent {
  if (stage.kind === "batch") {
    const handler = batchStageHandler(course, stage) as never;
    const batchOptions = { ...options, batch: stage.batch } as never;
    return job.onBatch(stage.name, anything(), handler, batchOptions);
  }
  const handler = stage.kind === "single" ? single(course, stage) : split(course, stage);
  return job.on(stage.name, anything(), handler as never, options);
}

function single(course: Course, { name, work }: SingleStage) {
  return async (context: JobContext): Promise<unknown> => {
    if (!isAt(context, name)) return undefined;
    const { item, job } = itemOf(context, course, name);
    return complete(context, course, name, await work(context, item, job as never));
  };
}

function split(course: Course, stage: ParallelStage) {
  const { each, limit, name } = stage;
  return (context: JobContext): unknown => {
    if (context.state.parts !== undefined || !isAt(context, name)) return undefined;
    const parts = requireParts(course, name, each(itemOf(context, course, name).item));
    context.emit.split({ stage: name, parts, limit });
    return handOut(context, course, name, { sent: 0, again: [] });
  };
}

/** @throws DefinitionError */
function requireParts({ pipeline }: Course, stage: string, parts: unknown): readonly unknown[] {
  if (Array.isArray(parts)) return parts;
  ignore(parts);
  const what = isThenable(parts) ? "a promise" : `a ${typeof parts}`;
  throw new DefinitionError(
    `\`each\` of the stage ${pipeline}.${stage} returned ${what}: it has to return an array of parts, at once.`,
    { details: { pipeline, stage } },
  );
}

function gather(course: Course) {
  return (context: JobContext, message: GatherMessage): unknown => {
    const { failure, givenUp, part, result, stage } = message;
    const { parts } = context.state;
    if (parts === undefined || !awaits(context, stage, part)) return undefined;
    if (failure !== undefined && givenUp !== undefined) {
      if (context.state.status === "running" && isWantedAnew(context.state, givenUp)) {
        handOutPart(context, course, stage, part);
      } else stop(context, course, { stage, part, failure });
      return undefined;
    }
    if (failure !== undefined) return fail(context, course, { stage, part, failure });
    context.emit.gathered({ stage, part, result });
    resumeWithoutGaps(context, stage);
    return handOut(context, course, stage, parts);
  };
}

/** A job that had stopped or failed goes on when all parts that were the reason are there. */
function resumeWithoutGaps(context: JobContext, stage: string): void {
  const { parts, status } = context.state;
  if (parts === undefined || status === "running" || parts.failed.length > 0) return;
  if (status === "failed" || parts.again.length === 0) context.emit.resumed({ stage });
}

/** Whether somebody asked for the job after a message with these `runs` was sent. */
function isWantedAnew(state: JobState, runs: number | undefined): boolean {
  return runs !== undefined && runs < state.runs;
}

/** The job is at this stage, and this part's result is not there. */
function awaits({ state }: Pick<JobContext, "state">, stage: string, part: number): boolean {
  const { parts, stage: at } = state;
  return at === stage && parts !== undefined && !Object.hasOwn(parts.results, part);
}

function fallbackName(stage: string): string {
  return `${stage}-fallback`;
}
