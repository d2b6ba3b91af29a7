/**
 * An agent's state now, without a turn: read as an activation reads it, from the newest snapshot
 * and what the journal has after it. Nothing runs, nothing is stored, and no worker is needed.
 *
 * The read is firm (LOG-8), so whoever was told of a turn sees it.
 */
import type { Agent } from "../../definition/agent.ts";
import type { AgentId } from "../../definition/message/address.ts";
import { agentName } from "../../definition/message/address.ts";
import type { Position } from "../../definition/message/input.ts";
import { DefinitionError } from "../../errors/definition-errors.ts";
import { AgentErasedError } from "../../errors/personal-errors.ts";
import type { ErrorData } from "../../errors/troupe-error.ts";
import type { Log } from "../../log/log.ts";
import { handedOut } from "../../wire/storable.ts";
import type { InspectionFeed } from "../inspection/inspection-feed.ts";
import { agentRuntime } from "../runtime/agent-runtime.ts";
import { AgentHistory } from "./agent-history.ts";

/** Turn and position at which an agent's state is. */
interface CurrentPlace {
  /** Turns so far; 0 before the first one. */
  readonly turn: number;
  /** Position of the last record of its journal; 0 without one. */
  readonly position: Position;
}

/** An agent's state now: undefined before its first turn and after its end. */
export type CurrentState<State> =
  | (CurrentPlace & { readonly status: "none" | "ended"; readonly state: undefined })
  | (CurrentPlace & { readonly status: "active"; readonly state: State })
  | (CurrentPlace & {
      readonly status: "parked";
      readonly state: State;
      /** Position of the message that it stands at. */
      readonly parkedAt: Position;
      readonly failure: ErrorData;
    });

export interface StateHost {
  readonly log: Log;
  readonly feed: InspectionFeed;
}

/**
 * @throws AgentErasedError, DefinitionError, and what a replay throws about a journal that cannot
 * be folded
 */
export async function currentState<State, Events, Messages>(
  { feed, log }: StateHost,
  definition: Agent<State, Events, Messages>,
  key: string,
): Promise<CurrentState<State>> {
  if (definition.events === undefined) throw noDefinition(definition);
  const agent = { type: definition.type, key };
  const footing = { read: () => undefined };
  const history = new AgentHistory(
    { log, feed, footing, firm: true },
    agentRuntime(definition),
    agent,
  );
  await history.load();
  if (history.erased) throw erased(agent);
  const { current, parked, revision: position } = history;
  const place = { turn: current.turns, position };
  if (current.ended !== undefined) return { ...place, status: "ended", state: undefined };
  const state = handedOut(current.state) as State;
  if (parked !== undefined) {
    const { failure, inputPosition: parkedAt } = parked;
    return { ...place, status: "parked", state, parkedAt, failure };
  }
  if (current.turns === 0) return { ...place, status: "none", state: undefined };
  return { ...place, status: "active", state };
}

function erased(agent: AgentId): AgentErasedError {
  const name = agentName(agent);
  return new AgentErasedError(`${name} was erased, and has had no turn since: it has no state.`, {
    details: { agent: name },
  });
}

function noDefinition({ type }: { readonly type: string }): DefinitionError {
  return new DefinitionError(
    `The state of ${type} can only be folded with its definition: give what agent("${type}") returned, or read recordedState.`,
    { details: { type } },
  );
}
