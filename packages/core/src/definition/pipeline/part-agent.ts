/**
 * The agents of a parallel stage: each handles one part of one job, wherever there is a worker, and
 * tells the job.
 *
 * A part whose run failed for good comes back to its agent as `fallback`, with the same content:
 * why it failed is in the agent's state, so that the message has room wherever the first one had.
 */
import type { AgentDefinition } from "../agent-definition.ts";
import { agentNamed } from "../agent-reference.ts";
import { agent } from "../agent.ts";
import type { ErrorData } from "../../errors/troupe-error.ts";
import type { SendCalls } from "../agent-calls.ts";
import { parseAgentName } from "../message/address.ts";
import type { RetryPolicy } from "../retry-policy.ts";
import type { Context } from "../context.ts";
import type { FailureContext } from "../failure-context.ts";
import { saysGivenUp } from "../demand.ts";
import type { Demand, DemandSends } from "../demand.ts";
import { anything } from "./anything.ts";
import { emitFailure } from "./emit-failure.ts";
import type { ParallelStage, Part } from "./stage-definition.ts";

/** Message from a job to a part's agent. */
export interface PartMessage extends Part {
  readonly item: unknown;
  /** The job's `runs` when it sent this. */
  readonly runs: number;
}

/** Message from a part's agent to its job. */
export interface GatherMessage {
  readonly stage: string;
  readonly part: number;
  readonly result?: unknown;
  readonly failure?: ErrorData | undefined;
  /** Set when the part was given up: `runs` of the message that was. */
  readonly givenUp?: number | undefined;
}

interface PartState {
  /** Failure of the stage's own function, for its fall-back. */
  readonly failure: ErrorData | undefined;
}
interface PartEvents {
  readonly fellBack: { readonly failure: ErrorData };
}
interface PartMessages {
  readonly run: { readonly input: PartMessage; readonly reply: unknown };
  readonly fallback: { readonly input: PartMessage; readonly reply: unknown };
}
interface GatherMessages {
  readonly gather: { readonly input: GatherMessage; readonly reply: unknown };
}
type PartContext = Context<PartState, PartEvents>;
type FailedPartContext = FailureContext<PartState, PartEvents> & DemandSends;
type Outcome = Pick<GatherMessage, "failure" | "givenUp" | "result">;

export function partType(pipeline: string, stage: string): string {
  return `${pipeline}-${stage}`;
}

/** The agent of one part: a job's parts are spread over the partitions. */
export function partOf(
  context: Pick<DemandSends, "sendFor">,
  demand: Demand,
  type: string,
  { index, job }: Part,
): SendCalls<PartMessages, void> {
  return context.sendFor<PartMessages>(demand, { type }, `${job}/${index}`);
}

/** The part that an agent of this name handles; undefined when it handles none of this pipeline. */
export function partNamed(
  pipeline: string,
  name = "",
): Pick<GatherMessage, "part" | "stage"> | undefined {
  const agentId = parseAgentName(name);
  const prefix = partType(pipeline, "");
  if (agentId?.type.startsWith(prefix) !== true) return undefined;
  return { stage: agentId.type.slice(prefix.length), part: partOfKey(agentId.key).index };
}

function partOfKey(key: string): Part {
  const slash = key.lastIndexOf("/");
  return { job: key.slice(0, slash), index: Number(key.slice(slash + 1)) };
}

export function partAgent(pipeline: string, stage: ParallelStage): AgentDefinition {
  const { fallback, name, retry = {}, work } = stage;
  const type = partType(pipeline, name);
  const tell = (context: Pick<PartContext, "send">, { index, job }: Part, outcome: Outcome): void =>
    context
      .send<GatherMessages>(agentNamed(pipeline) as { readonly type: string }, job)
      .gather({ stage: name, part: index, ...outcome });
  const onUnread = (context: FailedPartContext, failure: ErrorData): void =>
    tell(context, partOfKey(context.agent.key), { failure });
  const options = (
    onFailed: (...failed: FailedPart) => void,
  ): { readonly retry: Partial<RetryPolicy>; readonly onFailed: () => void } =>
    // The public types have neither `onUnread` nor what contexts offer our own agents.
    ({ retry, onFailed, onUnread }) as never;
  const fallBack = (...[context, failure, part]: FailedPart): void => {
    if (saysGivenUp(failure, context.message.position)) return giveUp(context, failure, part);
    emitFailure(failure, (known) => context.emit.fellBack({ failure: known }));
    partOf(context, context.demand, type, part).fallback(part);
  };
  const giveUp = (...[context, failure, part]: FailedPart): void => {
    const isGivenUp = saysGivenUp(failure, context.message.position);
    tell(context, part, { failure, givenUp: isGivenUp ? part.runs : undefined });
  };
  return agent(type)
    .state<PartState>({ failure: undefined })
    .event("fellBack", anything<PartEvents["fellBack"]>(), (_, { failure }) => ({ failure }))
    .on(
      "run",
      anything<PartMessage>(),
      async (context, { index, item, job }) => {
        const own = { job, index };
        tell(context, own, { result: await work(context, item, own as never) });
      },
      options(fallback === undefined ? giveUp : fallBack),
    )
    .on(
      "fallback",
      anything<PartMessage>(),
      async (context, { index, item, job }) => {
        const result = await fallback?.(context, item, context.state.failure as never);
        tell(context, { job, index }, { result });
      },
      options(giveUp),
    );
}

type FailedPart = [context: FailedPartContext, failure: ErrorData, message: PartMessage];
