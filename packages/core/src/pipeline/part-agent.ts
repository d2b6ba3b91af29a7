/**
 * The agents of a parallel stage: each handles one part of one job, wherever there is a worker, and
 * tells the job.
 */
import type { AgentDefinition } from "../agent/agent-definition.ts";
import { agentNamed } from "../agent/agent-reference.ts";
import { agent } from "../agent/agent.ts";
import type { ErrorData } from "../errors/troupe-error.ts";
import type { SendCalls } from "../agent/agent-calls.ts";
import type { Context } from "../turn/context.ts";
import { anything } from "./anything.ts";
import type { ParallelStage, Part } from "./stage-definition.ts";

/** What a job sends to a part's agent. */
export interface PartMessage extends Part {
  readonly item: unknown;
  /** Why the stage's own function failed, for its fall-back. */
  readonly failure?: ErrorData | undefined;
}

/** What a part's agent sends to its job. */
export interface GatherMessage {
  readonly stage: string;
  readonly part: number;
  readonly result?: unknown;
  readonly failure?: ErrorData | undefined;
}

interface PartMessages {
  readonly run: { readonly input: PartMessage; readonly reply: unknown };
}
interface GatherMessages {
  readonly gather: { readonly input: GatherMessage; readonly reply: unknown };
}

export function partType(pipeline: string, stage: string): string {
  return `${pipeline}-${stage}`;
}

/** The agent of one part: a job's parts are spread over the partitions. */
export function partOf(
  context: Pick<Context<unknown, never>, "send">,
  type: string,
  { index, job }: Part,
): SendCalls<PartMessages, void> {
  return context.send<PartMessages>({ type }, `${job}/${index}`);
}

export function partAgent(pipeline: string, stage: ParallelStage): AgentDefinition {
  const { fallback, name, retry = {}, work } = stage;
  const type = partType(pipeline, name);
  const tell = (
    context: Pick<Context<unknown, never>, "send">,
    { index, job }: Part,
    outcome: Pick<GatherMessage, "failure" | "result">,
  ): void =>
    context
      .send<GatherMessages>(agentNamed(pipeline) as { readonly type: string }, job)
      .gather({ stage: name, part: index, ...outcome });
  return agent(type).on(
    "run",
    anything<PartMessage>(),
    async (context, { failure, index, item, job }) => {
      const own = { job, index };
      const result =
        failure === undefined || fallback === undefined
          ? await work(context, item, own as never)
          : await fallback(context, item, failure as never);
      tell(context, own, { result });
    },
    {
      retry,
      onFailed: (context, failure, message) => {
        if (fallback === undefined || message.failure !== undefined) {
          tell(context, message, { failure });
        } else {
          partOf(context, type, message).run({ ...message, failure });
        }
      },
    },
  );
}
