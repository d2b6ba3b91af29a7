/**
 * Replay: an agent's history, turn by turn, with the state after each. It folds what the journal
 * holds and calls nothing: no handler, no model, no tool, no clock (I9).
 */
import type { Agent } from "../agent/agent.ts";
import type { AgentId } from "../log/address.ts";
import type { Position } from "../log/input.ts";
import { journalPages } from "../log/journal-pages.ts";
import type { CallOptions, Log } from "../log/log.ts";
import type { RecordedEvent, TurnRecord } from "../turn/turn-record.ts";
import type { RecordedStep } from "../turn/recorded-step.ts";
import { requireNextTurn } from "../turn/turn-order.ts";
import type { TombstoneRecord } from "../turn/tombstone-record.ts";
import { openRecords } from "../personal/open-records.ts";
import { handedOut } from "../wire/storable.ts";
import { agentRuntime } from "../worker/agent-runtime.ts";

export interface JournaledTurn {
  readonly revision: Position;
  readonly record: TurnRecord;
  /** All steps of the turn, in the order in which they were recorded. */
  readonly steps: readonly RecordedStep[];
  readonly committedAtMs: number;
  /**
   * Set on the first turn after the agent was erased: the state began anew before it.
   */
  readonly tombstone?: TombstoneRecord | undefined;
}

export interface ReplayedTurn<State> extends JournaledTurn {
  /** The state after this turn. */
  readonly state: State;
  /** The turn's events as they are declared today; `record` has them as they were recorded. */
  readonly events: readonly RecordedEvent[];
}

/** An agent's turn records in order. @throws JournalHoleError */
export async function* turnsOf(
  log: Log,
  agent: AgentId,
  options: CallOptions = {},
): AsyncGenerator<JournaledTurn, void, undefined> {
  // Several turns of one batch may be open at once.
  const open = new Map<Position, RecordedStep[]>();
  let turns = 0;
  let tombstone: TombstoneRecord | undefined;
  for await (const page of journalPages(log, agent, 0, options)) {
    for (const { entry: stored, record: entry } of await openRecords(log, page)) {
      const { revision, committedAtMs } = stored;
      if (entry.kind === "steps") {
        const { inputPosition, steps } = entry.steps;
        open.set(inputPosition, [...(open.get(inputPosition) ?? []), ...steps]);
        continue;
      }
      if (entry.kind === "park") continue;
      if (entry.kind === "tombstone") {
        tombstone = entry.tombstone;
        turns = tombstone.turns;
        open.clear();
        continue;
      }
      const { turn } = entry;
      turns += 1;
      requireNextTurn({ agent, position: revision }, { expected: turns, found: turn.turn });
      const own = open.get(turn.inputPosition) ?? [];
      const all = [...own, ...(turn.steps ?? [])];
      yield { revision, record: turn, steps: all, committedAtMs, tombstone };
      tombstone = undefined;
      for (const position of open.keys()) {
        if (position <= turn.inputPosition) open.delete(position);
      }
    }
  }
}

/**
 * An agent's turns with the state after each. @throws JournalHoleError, FoldError,
 * UnknownEventError, NewerEventError, MissingUpcasterError, UpcastError
 */
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
    if (turn.tombstone !== undefined) state = definition.initialState;
    const place = { agent, position: turn.revision };
    const events = turn.record.events.map((event) => runtime.upToDate(event, place));
    for (const event of events) state = runtime.fold(state, event, place);
    yield { ...turn, events, state: handedOut(state) as State };
  }
}
