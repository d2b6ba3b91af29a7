/**
 * Declaring a pipeline: stages that a job goes through, one after the other.
 *
 * A pipeline is nothing but agents. Each job is an agent of the pipeline's own type, whose key is
 * the job's id and whose state says where it is; a parallel stage adds an agent type for its parts.
 * So a pipeline is asked, sent to, hosted, inspected and replayed like any agent; DESIGN.md beside
 * this file records why.
 */
import type { AgentDefinition, AgentGroup } from "../agent-definition.ts";
import type { AgentReference } from "../agent-reference.ts";
import type { None } from "../agent.ts";
import { requireName } from "../name.ts";
import type { BatchFailure } from "../batch-context.ts";
import { DefinitionError } from "../../errors/definition-errors.ts";
import { personalOf } from "../personal.ts";
import type { OptionRules } from "../option-rules.ts";
import { atLeastOne, duration, requireOptions } from "../option-rules.ts";
import type { Schema, SchemaInput, SchemaOutput } from "../schema.ts";
import type { JobAgent } from "./job-agent.ts";
import { jobAgent } from "./job-agent.ts";
import type { Course } from "./job-progress.ts";
import { partAgent } from "./part-agent.ts";
import type {
  BatchStageContext,
  BatchStageOptions,
  Job,
  Part,
  PartsOptions,
  StageContext,
  StageDefinition,
  StageOptions,
} from "./stage-definition.ts";

/** Results of a pipeline's stages, by name. */
type With<Results, Name extends string, Result> = Results & { readonly [K in Name]: Result };

/**
 * The calls that add a stage. `Parsed` is the input as its schema makes it, `Item` what comes next.
 */
export interface Stages<Input, Parsed, Item, Results> {
  /** Declare a stage: one item in, one result out. */
  stage<const Name extends string, Result>(
    name: Name,
    work: (context: StageContext, item: Item, job: Job<Parsed, Results>) => Result,
    options?: StageOptions<Item, NoInfer<Awaited<Result>>>,
  ): Pipeline<Input, Parsed, Awaited<Result>, With<Results, Name, Awaited<Result>>>;
  /**
   * The items of many jobs in one call, which starts by size or by time (`onBatch`). Returns one
   * result per item, in their order; a `BatchFailure` fails its job alone, and when the call
   * throws, each item is tried again alone.
   */
  batch<const Name extends string, Result>(
    name: Name,
    work: (
      context: BatchStageContext<Item>,
      items: readonly Item[],
      jobs: readonly Job<Parsed, Results>[],
    ) => readonly Result[] | Promise<readonly Result[]>,
    options?: BatchStageOptions<Item, NoInfer<Exclude<Result, BatchFailure>>>,
  ): Pipeline<
    Input,
    Parsed,
    Exclude<Result, BatchFailure>,
    With<Results, Name, Exclude<Result, BatchFailure>>
  >;
  /**
   * The item's parts, at most `limit` of one job at a time, on all workers there are. The result is
   * the results of the parts, in their order. A part is tried again alone; one that fails for good
   * fails the job.
   */
  parallel<const Name extends string, Each, Result>(
    name: Name,
    parts: PartsOptions<Item, Each>,
    work: (context: StageContext, item: Each, part: Part) => Result,
    options?: StageOptions<Each, NoInfer<Awaited<Result>>>,
  ): Pipeline<
    Input,
    Parsed,
    readonly Awaited<Result>[],
    With<Results, Name, readonly Awaited<Result>[]>
  >;
}

export interface Pipeline<Input, Parsed, Item, Results>
  extends
    Stages<Input, Parsed, Item, Results>,
    AgentGroup,
    AgentReference<{ readonly run: { readonly input: Input; readonly reply: Item } }> {
  readonly kind: "pipeline";
  /** The pipeline's name, which is the type of its jobs. */
  readonly type: string;
  readonly stages: readonly StageDefinition[];
  /** The agent of its jobs, for `replay`, `given` and projections. */
  readonly job: JobAgent<Input, Item>;
  /** All its agents: the job's first, then those of parallel stages. */
  readonly agents: readonly AgentDefinition[];
}

export interface PipelineOptions {
  /**
   * Time for which a caller of `run` wants the job at most, in milliseconds from when the log
   * accepted the message: once this is over for all callers, the job stops. It holds for `send`,
   * and for an ask if that has not given up before. Minimum 1. @default an ask's own deadline; a
   * `send` has none
   */
  readonly timeoutMs?: number;
}

/**
 * Declare a pipeline; at least one stage has to follow.
 *
 * `troupe.agent(enrich, "job-1").run(input)` enqueues the job and resolves with its answer, however
 * many workers die on the way; `troupe.send(…)` does not wait for it. The same job id always gives
 * the same answer, and runs nothing twice.
 *
 * @param name one subject token: letters, digits, `-`, `_`. @throws DefinitionError
 *
 * @example
 * ```ts
 * const enrich = pipeline("enrich", z.object({ url: z.string() }))
 *   .stage("fetch", (ctx, { url }) =>
 *     ctx.step("fetch", async () => (await fetch(url)).text()),
 *   )
 *   .stage("sum-up", (ctx, page) => ctx.step("model", () => model.complete(page)));
 * const summary = await troupe.agent(enrich, "job-1").run({ url: "https://example.com" });
 * ```
 */
export function pipeline<S extends Schema>(
  name: string,
  schema: S,
  options: PipelineOptions = {},
): Stages<SchemaInput<S>, SchemaOutput<S>, SchemaOutput<S>, None> {
  requireName("pipeline", name);
  requireNothingPersonal(name, schema);
  const { timeoutMs } = options;
  requireOptions(`Pipeline ${name}: `, options, { timeoutMs: duration });
  return stagesOf({ name, schema, timeoutMs, stages: [] });
}

/**
 * Refuses a schema with personal data: the results that a job keeps have no known owner. @throws
 * DefinitionError
 */
function requireNothingPersonal(name: string, schema: Schema): void {
  if (personalOf(schema) === undefined) return;
  throw new DefinitionError(
    `Pipeline ${name} is given a personal schema, and a job keeps its input and the results of its stages unsealed: give it the id of an agent that has the personal data.`,
    { details: { pipeline: name } },
  );
}

interface Declaration {
  readonly name: string;
  readonly schema: Schema;
  readonly timeoutMs: number | undefined;
  readonly stages: readonly StageDefinition[];
}

type AnyOptions = Pick<StageDefinition, never> & {
  readonly retry?: StageDefinition["retry"];
  readonly fallback?: unknown;
};

function stagesOf<Input, Parsed, Item, Results>(
  declaration: Declaration,
): Stages<Input, Parsed, Item, Results> {
  const { name: pipelineName } = declaration;
  const shared = (name: string, options: AnyOptions = {}): ReturnType<typeof common> => {
    requireOptions(`Pipeline ${pipelineName}, ${name}: `, options, stageRules);
    return common(name, options);
  };
  return Object.freeze<Stages<Input, Parsed, Item, Results>>({
    stage: (name, work, options) =>
      withStage(declaration, { ...shared(name, options), kind: "single", work: work as never }),
    batch: (name, work, { fallback, retry, ...batch } = {}) =>
      withStage(declaration, {
        ...shared(name, { fallback, retry }),
        kind: "batch",
        work: work as never,
        batch: { ...batch, by: "type" },
      }),
    parallel: (name, parts, work, options) => {
      const rules = { each: "other", limit: atLeastOne } as const;
      requireOptions(`Pipeline ${pipelineName}, ${name}: `, parts, rules);
      const { each, limit = partsLimitDefault } = parts;
      return withStage(declaration, {
        ...shared(name, options),
        kind: "parallel",
        each: each as never,
        limit,
        work: work as never,
      });
    },
  });
}

const partsLimitDefault = 8;

const stageRules: OptionRules<AnyOptions> = { retry: "other", fallback: "other" };

function common(
  name: string,
  { fallback, retry }: AnyOptions,
): Pick<StageDefinition, "fallback" | "name" | "retry"> {
  return { name, retry, fallback: fallback as StageDefinition["fallback"] };
}

function withStage<Input, Parsed, Item, Results>(
  { name, schema, stages: before, timeoutMs }: Declaration,
  stage: StageDefinition,
): Pipeline<Input, Parsed, Item, Results> {
  if (before.some((each) => each.name === stage.name)) {
    throw new DefinitionError(`The pipeline ${name} declares the stage ${stage.name} twice.`, {
      details: { pipeline: name, stage: stage.name },
    });
  }
  const stages = Object.freeze([...before, Object.freeze(stage)]);
  const course = { pipeline: name, stages, timeoutMs };
  const agents = agentsOfJobs(course, schema);
  const job = agents[0] as unknown as JobAgent<Input, Item>;
  return Object.freeze<Pipeline<Input, Parsed, Item, Results> & { messages: unknown }>({
    ...stagesOf<Input, Parsed, Item, Results>({ name, schema, timeoutMs, stages }),
    kind: "pipeline",
    type: name,
    stages,
    job,
    agents,
    // So that a bad input fails at its sender.
    messages: job.messages,
  });
}

/** The jobs' agent first, then those of parallel stages. */
export function agentsOfJobs(course: Course, schema: Schema): readonly AgentDefinition[] {
  const { pipeline: name, stages } = course;
  const parts = stages.flatMap((each) => (each.kind === "parallel" ? [partAgent(name, each)] : []));
  return Object.freeze([jobAgent(course, schema), ...parts]);
}
