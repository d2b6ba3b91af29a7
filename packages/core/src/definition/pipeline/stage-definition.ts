/** The stages of a pipeline: their declarations, and the contexts of their functions. */
import type { BatchStepInfo } from "../batch-context.ts";
import type { BatchSettings } from "../batch-settings.ts";
import type { ErrorData } from "../../errors/troupe-error.ts";
import type { RetryPolicy } from "../retry-policy.ts";
import type { None } from "../agent.ts";
import type { Context } from "../context.ts";

/** The context of a stage; everything done with it belongs to the stage's own turn. */
export type StageContext = Pick<
  Context<unknown, None>,
  | "agent"
  | "ask"
  | "id"
  | "log"
  | "message"
  | "now"
  | "publish"
  | "random"
  | "send"
  | "signal"
  | "step"
>;

/** Earlier values of the job, for a stage to look back on. */
export interface Job<Input, Results> {
  readonly key: string;
  readonly input: Input;
  /** Results of all stages before this one, by stage. */
  readonly results: Readonly<Results>;
}

/** The part of a job, by the job's key and its number. */
export interface Part {
  readonly job: string;
  /** Index of the part, from 0. */
  readonly index: number;
}

/** The context of a stage that handles the items of many jobs in one call. */
export interface BatchStageContext<Item> {
  /** Aborted when all jobs of the call are given up. */
  readonly signal: AbortSignal;
  /** W3C traceparent of the call. */
  readonly traceparent: string;
  /**
   * Run an effect for all items: it gets those whose result is not recorded yet, and returns one
   * result per item, in their order. Each is recorded in its own job's journal (I6).
   */
  step<Result>(
    name: string,
    effect: (
      items: readonly Item[],
      step: BatchStepInfo,
    ) => readonly Result[] | Promise<readonly Result[]>,
  ): Promise<readonly Result[]>;
}

export interface StageOptions<Item, Result> {
  /**
   * Number of runs that a part or stage gets, the pauses between them, and the time one may take.
   * @default the worker's policy
   */
  readonly retry?: Partial<RetryPolicy>;
  /**
   * Makes the result when the stage has failed for good; a turn of its own, with the same retries.
   * @default none: the job fails
   */
  readonly fallback?: (
    context: StageContext,
    item: Item,
    failure: ErrorData,
  ) => Result | Promise<Result>;
}

export interface BatchStageOptions<Item, Result>
  extends StageOptions<Item, Result>, Partial<Omit<BatchSettings, "by">> {}

export interface PartsOptions<Item, Each> {
  /** The parts of the item. Called once per job: they are recorded. */
  readonly each: (item: Item) => readonly Each[];
  /** Number of a job's parts that may be under way at once. Minimum 1. @default 8 */
  readonly limit?: number;
}

/** Function of a stage without types, for the agents. */
type AnyWork = (context: StageContext, item: unknown, about: never) => unknown;
type AnyBatchWork = (
  context: BatchStageContext<unknown>,
  items: readonly unknown[],
  jobs: never,
) => unknown;

interface StageParts {
  readonly name: string;
  readonly retry: Partial<RetryPolicy> | undefined;
  readonly fallback: AnyWork | undefined;
}

export interface SingleStage extends StageParts {
  readonly kind: "single";
  readonly work: AnyWork;
}

export interface BatchStage extends StageParts {
  readonly kind: "batch";
  readonly work: AnyBatchWork;
  readonly batch: Partial<BatchSettings>;
}

export interface ParallelStage extends StageParts {
  readonly kind: "parallel";
  readonly each: (item: unknown) => readonly unknown[];
  readonly limit: number;
  readonly work: AnyWork;
}

export type StageDefinition = BatchStage | ParallelStage | SingleStage;
