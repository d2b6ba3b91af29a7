/**
 * Replay: an agent's history, turn by turn, with the state after each. It folds what the journal
 * holds and calls nothing: no handler, no model, no tool, no clock (I9). Where retention has
 * removed the beginning, it starts from the base record there, and says so.
 */
import type { Agent } from "../../definition/agent.ts";
import type { AgentId } from "../../definition/message/address.ts";
import type { Position } from "../../definition/message/input.ts";
import { journalPages } from "../../log/journal-pages.ts";
import type { CallOptions, JournalEntry, Log } from "../../log/log.ts";
import type { TurnRecord } from "../../journal/turn-record.ts";
import type { RecordedEvent } from "../../definition/recorded-event.ts";
import type { RecordedStep } from "../../journal/recorded-step.ts";
import type { OpenRecord } from "../personal/open-records.ts";
import { openRecords } from "../personal/open-records.ts";
import type { StepRecord } from "../../journal/step-record.ts";
import type { TombstoneRecord } from "../../journal/tombstone-record.ts";
import type { JournalHoleError } from "../../errors/journal-errors.ts";
import type { BaseRecord } from "../../journal/base-record.ts";
import { stateOfBase } from "../../journal/state-of-base.ts";
import { holeBefore } from "../../journal/turn-order.ts";
import { handedOut } from "../../wire/storable.ts";
import { agentRuntime } from "../runtime/agent-runtime.ts";

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

/** Beginning of a journal whose earlier turns were removed. */
export interface JournalBeginning {
  /** The first turn that can be replayed, whether it is there yet or not. */
  readonly turn: number;
  /** Position of the base record. */
  readonly revision: Position;
  /** Time at which it was stored, in milliseconds since the epoch. */
  readonly storedAtMs: number;
  /** Base record with the state as it was kept, in the version that it had then. */
  readonly base: BaseRecord;
}

/** An erasure of the agent, which forgot all turns before it. */
export interface JournaledErasure {
  /** Position of the tombstone. */
  readonly revision: Position;
  readonly tombstone: TombstoneRecord;
}

export interface TurnsOptions extends CallOptions {
  /** Called for each erasure, between the turns of before and after. Must not throw. */
  readonly onErased?: ((erasure: JournaledErasure) => void) | undefined;
  /**
   * Called before the first turn when the journal does not begin with the agent's first one. Must
   * not throw.
   */
  readonly onBeginning?: ((beginning: JournalBeginning) => void) | undefined;
}

export interface ReplayOptions<State> extends CallOptions {
  /** Called for each erasure, between the turns of before and after. Must not throw. */
  readonly onErased?: ((erasure: JournaledErasure) => void) | undefined;
  /** The same, with the state that the first turn begins with, as it is declared today. */
  readonly onBeginning?:
    | ((beginning: JournalBeginning & { readonly state: State }) => void)
    | undefined;
}

/**
 * An agent's turn records in order, from the first one that is kept. @throws JournalHoleError
 *
 * @example
 * ```ts
 * const agent = { type: "account", key: "alice" };
 * for await (const { record } of turnsOf(log, agent)) console.log(record.message);
 * ```
 */
export async function* turnsOf(
  log: Log,
  agent: AgentId,
  options: TurnsOptions = {},
): AsyncGenerator<JournaledTurn, void, undefined> {
  for await (const part of partsOf(log, agent, options)) {
    if ("record" in part) yield part;
    else if (part.begins) options.onBeginning?.(part);
  }
}

/**
 * An agent's turns with the state after each. @throws JournalHoleError, FoldError,
 * UnknownEventError, NewerEventError, MissingUpcasterError, UpcastError, NewerStateError,
 * MissingMigrationError, MigrationError
 *
 * @example
 * ```ts
 * for await (const { record, state } of replay(log, account, "alice"))
 *   console.log(record.turn, state);
 * ```
 */
export async function* replay<State, Events, Messages>(
  log: Log,
  definition: Agent<State, Events, Messages>,
  key: string,
  options: ReplayOptions<State> = {},
): AsyncGenerator<ReplayedTurn<State>, void, undefined> {
  const agent = { type: definition.type, key };
  const runtime = agentRuntime(definition);
  let state: unknown = definition.initialState;
  for await (const turn of partsOf(log, agent, options)) {
    const place = { agent, position: turn.revision };
    if ("base" in turn) {
      state = stateOfBase(definition, turn.base, place);
      if (turn.begins) options.onBeginning?.({ ...turn, state: handedOut(state) as State });
      continue;
    }
    if (turn.tombstone !== undefined) state = definition.initialState;
    const events = turn.record.events.map((event) => runtime.upToDate(event, place));
    for (const event of events) state = runtime.fold(state, event, place);
    yield { ...turn, events, state: handedOut(state) as State };
  }
}

/** A turn, or a base record that says with which state the next turn begins. */
type JournalPart = JournaledTurn | (JournalBeginning & { readonly begins: boolean });

async function* partsOf(
  log: Log,
  agent: AgentId,
  { onErased, signal }: Pick<TurnsOptions, "onErased" | "signal">,
): AsyncGenerator<JournalPart, void, undefined> {
  const reading = new JournalReading(agent);
  for await (const page of journalPages(log, agent, 0, { signal })) {
    for (const open of await openRecords(log, page)) {
      const { entry, record } = open;
      if (record.kind === "tombstone") onErased?.({ ...entry, tombstone: record.tombstone });
      const part = reading.read(open);
      if (part !== undefined) yield part;
    }
  }
  if (reading.hole !== undefined) throw reading.hole;
}

class JournalReading {
  readonly #agent: AgentId;
  /** Several turns of one batch may be open at once. */
  readonly #steps = new Map<Position, readonly RecordedStep[]>();
  #turns = 0;
  /** Tombstone of an erasure that no turn has followed yet. */
  #tombstone: TombstoneRecord | undefined;
  /** Turns are missing, unless a base record comes that needs none of them. */
  hole: JournalHoleError | undefined;

  constructor(agent: AgentId) {
    this.#agent = agent;
  }

  read({ entry, record }: OpenRecord<JournalEntry>): JournalPart | undefined {
    const { committedAtMs, revision } = entry;
    if (record.kind === "steps") this.#keep(record.steps);
    if (record.kind === "tombstone") this.#bury(record.tombstone);
    if (record.kind === "turn") return this.#turn(record.turn, revision, committedAtMs);
    return record.kind === "base" ? this.#base(record.base, revision, committedAtMs) : undefined;
  }

  #bury(tombstone: TombstoneRecord): void {
    this.hole = undefined;
    this.#turns = tombstone.turns;
    this.#steps.clear();
    this.#tombstone = tombstone;
  }

  #keep({ inputPosition, steps }: StepRecord): void {
    this.#steps.set(inputPosition, [...(this.#steps.get(inputPosition) ?? []), ...steps]);
  }

  #turn(record: TurnRecord, revision: Position, committedAtMs: number): JournalPart | undefined {
    const { inputPosition, steps = [], turn: found } = record;
    const place = { agent: this.#agent, position: revision };
    this.hole ??= holeBefore(place, { expected: this.#turns + 1, found });
    if (this.hole !== undefined) return undefined;
    this.#turns = found;
    const own = this.#steps.get(inputPosition) ?? [];
    for (const position of this.#steps.keys()) {
      if (position <= inputPosition) this.#steps.delete(position);
    }
    const tombstone = this.#tombstone;
    this.#tombstone = undefined;
    return { revision, record, steps: [...own, ...steps], committedAtMs, tombstone };
  }

  #base(base: BaseRecord, revision: Position, storedAtMs: number): JournalPart | undefined {
    const begins = this.hole !== undefined || base.turns !== this.#turns;
    this.hole = undefined;
    this.#turns = base.turns;
    if (begins) this.#tombstone = undefined;
    if (!begins && base.ended === undefined) return undefined;
    return { turn: base.turns + 1, revision, storedAtMs, base, begins };
  }
}
