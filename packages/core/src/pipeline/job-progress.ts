/** How a job moves from stage to stage: what its turns emit and send. */
import { agentNamed } from "../agent/agent-reference.ts";
import { PipelineStageError } from "../errors/pipeline-errors.ts";
import type { ErrorData } from "../errors/troupe-error.ts";
import { emitFailure } from "./emit-failure.ts";
import type { LateReplies } from "../turn/answering.ts";
import type { Context } from "../turn/context.ts";
import type { FailureContext } from "../turn/failure-context.ts";
import type { JobEvents, JobState } from "./job-state.ts";
import type { GatherMessage } from "./part-agent.ts";
import { partOf, partType } from "./part-agent.ts";
import type { Job, StageDefinition } from "./stage-definition.ts";

export type JobContext = Context<JobState, JobEvents> & LateReplies;
export type FailedJobContext = FailureContext<JobState, JobEvents> & LateReplies;

/** The stages of a pipeline in their order, and what follows from it. */
export interface Course {
  readonly pipeline: string;
  readonly stages: readonly StageDefinition[];
}

/** Send the parts that may go and have not gone; when all are back, the stage is completed. */
export function handOut(context: JobContext, course: Course, stage: string, sent: number): unknown {
  const { parts, status } = context.state;
  if (parts === undefined || status !== "running") return undefined;
  const type = partType(course.pipeline, stage);
  for (let index = sent; index < parts.sent; index++) {
    const message = { job: context.agent.key, index, item: parts.items[index] };
    partOf(context, type, message).run(message);
  }
  if (parts.done < parts.items.length) return undefined;
  const next = nextOf(course, stage);
  const { asks } = context.state;
  context.emit.joined({ stage, next });
  return proceed(context, stage, { asks, next });
}

/** J1: whether the job is at this stage; a job that failed there goes on. */
export function isAt(context: Pick<JobContext, "emit" | "state">, stage: string): boolean {
  const { stage: at, status } = context.state;
  if (at !== stage || (status !== "running" && status !== "failed")) return false;
  if (status === "failed") context.emit.resumed({ stage });
  return true;
}

/** What a stage gets: the result of the one before it. */
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

/** The message with which a job comes to a stage. */
export function begin(
  context: Pick<JobContext, "agent" | "send">,
  stage: string | undefined,
): void {
  const { key, type } = context.agent;
  if (stage !== undefined) context.send(agentNamed(type), key)[stage]?.({});
}

function nextOf({ stages }: Course, stage: string): string | undefined {
  return stages[stages.findIndex(({ name }) => name === stage) + 1]?.name;
}

/** J2: the job failed, and who asked hears why. */
export function fail(
  context: FailedJobContext,
  { pipeline }: Course,
  {
    failure,
    part,
    stage,
  }: Pick<GatherMessage, "stage"> & {
    readonly part?: number;
    readonly failure: ErrorData;
  },
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
