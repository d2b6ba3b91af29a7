/**
 * Replay: an agent's history, turn by turn, with the state after each. It folds what the journal holds and calls nothing:
 * no handler, no model, no tool, no clock (I9).
 */
import type { Agent } from "../agent/agent.ts";
import type { AgentId } from "../log/address.ts";
import { agentName } from "../log/address.ts";
import type { Position } from "../log/input.ts";
import type { CallOptions, Log } from "../log/log.ts";
import type { TurnRecord } from "../turn/turn-record.ts";
import { decodeRecord } from "../turn/turn-record.ts";
import { agentRuntime } from "../worker/agent-runtime.ts";

export interface JournaledTurn {
  readonly revision: Position;
  readonly record: TurnRecord;
  readonly committedAtMs: number;
}

export interface ReplayedTurn<State> extends JournaledTurn {
  /** The state after this turn. */
  readonly state: State;
}

/** An agent's turn records in order. */
export async function* turnsOf(
  log: Log,
  agent: AgentId,
  options: CallOptions = {},
): AsyncGenerator<JournaledTurn, void, undefined> {
  let after: Position = 0;
  for (;;) {
    const entries = await log.journal(agent, after, options);
    for (const { revision, record, committedAtMs } of entries) {
      yield { revision, record: decodeRecord(record), committedAtMs };
      after = revision;
    }
    if (entries.length === 0) return;
  }
}

/** An agent's turns with the state after each. @throws FoldError */
export async function* replay<State, Events, Messages>(
  log: Log,
  definition: Agent<State, Events, Messages>,
  key: string,
  options: CallOptions = {},
): AsyncGenerator<ReplayedTurn<State>, void, undefined> {
  const agent = { type: definition.type, key };
  const runtime = agentRuntime(definition);
  let state: unknown = definition.initialState;
  for await (const turn of turnsOf(log, agent, options)) {
    for (const event of turn.record.events) state = runtime.fold(state, event, agentName(agent));
    yield { ...turn, state: state as State };
  }
}
