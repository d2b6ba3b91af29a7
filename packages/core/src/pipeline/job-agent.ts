/**
 * The agent of a pipeline's jobs: one message per stage, which it sends to itself.
 *
 * A stage is a turn, so its result and the message for the next stage commit together (I3), a stage
 * that was completed never runs again (I4), and between two stages nothing is held (I11).
 *
 *  J1 A stage runs only while the job is at it: a message that comes twice, or late, does nothing.
 *  J2 What fails for good, or cannot be read, fails the job in the same commit (`onFailed`, `onUnread`), so no job is
 *     left behind silently; what is redriven lets it go on.
 *  J3 The job is enqueued once, by the first `run`. Every `run` gets the one answer, whenever it comes.
 */
import type { UntypedMessages } from "../agent/agent-reference.ts";
import type { Agent, HandlerOptions } from "../agent/agent.ts";
import { agent } from "../agent/agent.ts";
import type { ErrorData } from "../errors/troupe-error.ts";
import type { Schema } from "../schema/schema.ts";
import { anything } from "./anything.ts";
import { batchStageHandler } from "./batch-stage.ts";
import { emitFailure } from "./emit-failure.ts";
import type { Course, FailedJobContext, JobContext } from "./job-progress.ts";
import { begin, complete, fail, handOut, isAt, itemOf } from "./job-progress.ts";
import type { JobEvents, JobState } from "./job-state.ts";
import { asksMax, jobFolds, newJob } from "./job-state.ts";
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

function enqueue({ stages: [first] }: Course) {
  return (context: JobContext, input: unknown): unknown => {
    const { asks, failure, results, stage, status } = context.state;
    if (status === "done") return results[stage ?? ""];
    const replyTo = context.answerLater();
    if (status === "failed") context.answerNow(replyTo === undefined ? [] : [replyTo], failure);
    else if (status === "new") {
      context.emit.enqueued({ input, stage: first?.name ?? "", replyTo });
      begin(context, first?.name);
    } else if (replyTo !== undefined && asks.length < asksMax) context.emit.asked({ replyTo });
    return undefined;
  };
}

function withStage(job: AnyJobAgent, course: Course, stage: StageDefinition): AnyJobAgent {
  const { fallback, name, retry = {} } = stage;
  const onFailed = (context: FailedJobContext, failure: ErrorData): void => {
    const { state } = context;
    if (state.stage !== name || state.status !== "running") return;
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
    if (!isAt(context, name) || context.state.parts !== undefined) return undefined;
    const parts = each(itemOf(context, course, name).item);
    context.emit.split({ stage: name, parts, limit });
    return handOut(context, course, name, 0);
  };
}

function gather(course: Course) {
  return (context: JobContext, { failure, part, result, stage }: GatherMessage): unknown => {
    const { parts } = context.state;
    if (parts === undefined || !awaits(context, stage, part)) return undefined;
    if (failure !== undefined) return fail(context, course, { stage, part, failure });
    context.emit.gathered({ stage, part, result });
    const { failed } = context.state.parts ?? parts;
    if (context.state.status === "failed" && failed.length === 0) context.emit.resumed({ stage });
    return handOut(context, course, stage, parts.sent);
  };
}

/** The job is at this stage, and this part's result is not there. */
function awaits({ state }: Pick<JobContext, "state">, stage: string, part: number): boolean {
  const { parts, stage: at } = state;
  return at === stage && parts !== undefined && !Object.hasOwn(parts.results, part);
}

function fallbackName(stage: string): string {
  return `${stage}-fallback`;
}
