/** Entries on the log at the end of a simulation, ready to be checked. */
import type { AgentDefinition } from "@troupe/core/engine";
import type { Agent } from "@troupe/core";
import type {
  AgentId,
  DeadLetter,
  Input,
  Position,
  LogEntry,
  SubscriptionBeginning,
} from "@troupe/core/log";
import { agentName, decodePayload } from "@troupe/core/log";
import type {
  JournaledTurn,
  BaseRecord,
  ParkRecord,
  TombstoneRecord,
  RecordedStep,
} from "@troupe/core/operate";
import { isWord, agentRuntime } from "@troupe/core/engine";
import { decodeJournalRecord } from "@troupe/core/operate";

/** A log to read. It grows while the simulation runs. */
export interface History {
  readonly entries: readonly LogEntry[];
  readonly inputs: ReadonlyMap<Position, Input>;
  readonly deadLetters: readonly DeadLetter[];
  /** Agents that have a journal, in the order of their first turns or parkings. */
  readonly agents: readonly AgentId[];
  /**
   * Keys of the agents of this type that have a journal.
   *
   * @example
   * ```ts
   * const names = history.keys(account);
   * ```
   */
  keys(agent: { readonly type: string }): readonly string[];
  turns(agent: { readonly type: string }, key: string): readonly JournaledTurn[];
  /** Records that say when an agent was parked and resumed, in the order of its journal. */
  parkings(agent: { readonly type: string }, key: string): readonly JournaledPark[];
  /** Base records of the agent, in the order of its journal. */
  bases(agent: { readonly type: string }, key: string): readonly JournaledBase[];
  /** Tombstones of the agent, in the order of its journal. */
  tombstones(agent: { readonly type: string }, key: string): readonly JournaledTombstone[];
  /**
   * The fold of an agent's whole journal, also of what was removed from it. @throws FoldError
   *
   * @example
   * ```ts
   * const { balance } = history.state(account, "alice");
   * ```
   */
  state<State, Events, Messages>(agent: Agent<State, Events, Messages>, key: string): State;
  /** An input's payload. @throws UndecodablePayloadError */
  payload(input: Input): unknown;
  /** Agents that have not handled an input that is theirs, as `type/key@position`. */
  readonly unhandled: ReadonlySet<string>;
}

/** A park record and its place in the journal. */
export interface JournaledPark {
  readonly revision: Position;
  readonly record: ParkRecord;
}

/** Beginning of a type's subscription to a topic; undefined while nobody said it. */
export type BeginningOf = (type: string, topic: string) => SubscriptionBeginning | undefined;

const fromTheStart: SubscriptionBeginning = Object.freeze({ position: 0, atMs: 0 });

/** A base record and its place in the journal. */
export interface JournaledBase {
  readonly revision: Position;
  readonly record: BaseRecord;
}

/** A tombstone and its place in the journal. */
export interface JournaledTombstone {
  readonly revision: Position;
  readonly record: TombstoneRecord;
}

export class GrowingHistory implements History {
  readonly entries: readonly LogEntry[];
  readonly inputs: Map<Position, Input> = new Map<Position, Input>();
  readonly deadLetters: DeadLetter[] = [];
  readonly agents: AgentId[] = [];
  readonly unhandled: Set<string> = new Set<string>();
  /** Whether the log has lost something, so far. */
  lostTail = false;
  readonly #definitions: readonly AgentDefinition[];
  readonly #beginningOf: BeginningOf;
  /** Publications on topics whose subscription has no beginning yet: they count as unhandled. */
  #undecided: { readonly agent: AgentId; readonly input: Input }[] = [];
  readonly #journals = new Map<string, JournaledTurn[]>();
  readonly #bases = new Map<string, JournaledBase[]>();
  readonly #parkings = new Map<string, JournaledPark[]>();
  readonly #tombstones = new Map<string, JournaledTombstone[]>();
  readonly #stepsOfTurns = new Map<string, RecordedStep[]>();
  #read = 0;

  constructor(
    entries: readonly LogEntry[],
    definitions: readonly AgentDefinition[],
    beginningOf: BeginningOf = () => fromTheStart,
  ) {
    this.entries = entries;
    this.#definitions = definitions;
    this.#beginningOf = beginningOf;
  }

  /** Take note of what was stored since the last time. */
  read(): void {
    for (; this.#read < this.entries.length; this.#read++) {
      const entry = this.entries[this.#read];
      if (entry?.kind === "input") this.#input(entry.input);
      else if (entry?.kind === "turn") this.#turn(entry);
      else if (entry !== undefined) this.#deadLetter(entry.deadLetter);
    }
    if (this.#undecided.length > 0) this.#decide();
  }

  /** The log lost something: nothing that was read before counts. */
  restart(): void {
    const { agents, deadLetters, inputs, unhandled } = this;
    this.lostTail = true;
    const journals = [this.#journals, this.#bases, this.#parkings, this.#stepsOfTurns];
    for (const each of [inputs, unhandled, ...journals, this.#tombstones]) each.clear();
    agents.length = 0;
    deadLetters.length = 0;
    this.#undecided = [];
    this.#read = 0;
    this.read();
  }

  keys({ type }: { readonly type: string }): readonly string[] {
    return this.agents.filter((agent) => agent.type === type).map(({ key }) => key);
  }

  turns({ type }: { readonly type: string }, key: string): readonly JournaledTurn[] {
    return this.#journals.get(agentName({ type, key })) ?? [];
  }

  parkings({ type }: { readonly type: string }, key: string): readonly JournaledPark[] {
    return this.#parkings.get(agentName({ type, key })) ?? [];
  }

  bases({ type }: { readonly type: string }, key: string): readonly JournaledBase[] {
    return this.#bases.get(agentName({ type, key })) ?? [];
  }

  tombstones({ type }: { readonly type: string }, key: string): readonly JournaledTombstone[] {
    return this.#tombstones.get(agentName({ type, key })) ?? [];
  }

  state<State, Events, Messages>(agent: Agent<State, Events, Messages>, key: string): State {
    return [...this.states(agent, key)].at(-1)?.[1] as State;
  }

  /** The state before the first turn, and after each, by turn number. */
  *states(definition: AgentDefinition, key: string): Generator<readonly [number, unknown]> {
    const runtime = agentRuntime(definition);
    const agent: AgentId = { type: definition.type, key };
    const ends = new Set(
      this.bases(definition, key)
        .filter(({ record }) => record.ended !== undefined)
        .map(({ record }) => record.turns),
    );
    const tombstones = [...this.tombstones(definition, key)];
    let state: unknown = definition.initialState;
    yield [0, state];
    for (const { record, revision: position } of this.turns(definition, key)) {
      while ((tombstones[0]?.revision ?? Infinity) < position) {
        tombstones.shift();
        state = definition.initialState;
      }
      const place = { agent, position };
      for (const event of record.events) {
        state = runtime.fold(state, structuredClone(event), place);
      }
      if (ends.has(record.turn)) state = definition.initialState;
      yield [record.turn, state];
    }
  }

  payload({ metadata, payload }: Input): unknown {
    return decodePayload(payload, metadata.contentType);
  }

  /** The agents that have to handle an input; none when nobody hosts what it is addressed to. */
  addressees(input: Input): readonly AgentId[] {
    return this.#candidates(input).filter(({ type }) => this.#counts(type, input) === true);
  }

  /** Agents that the input is for, with those whose subscription has no beginning yet. */
  #candidates(input: Input): readonly AgentId[] {
    const { address, fault } = input;
    // A message that resumes an agent is no turn of it: the turns it makes possible are waited for.
    if (fault !== undefined || isWord(input)) return [];
    const types = this.#definitions.filter(({ type, subscriptions }) =>
      address.kind === "agent" ? type === address.name : Object.hasOwn(subscriptions, address.name),
    );
    return types.map(({ type }) => ({ type, key: address.key }));
  }

  /** Messages to an agent before this position that have no turn yet. */
  unhandledBefore(agent: string, position: Position): readonly string[] {
    this.read();
    return this.#unhandledBefore(agent, position);
  }

  #unhandledBefore(agent: string, position: Position): readonly string[] {
    return [...this.unhandled].filter((name) => {
      const at = name.lastIndexOf("@");
      return name.slice(0, at) === agent && Number(name.slice(at + 1)) < position;
    });
  }

  #input(input: Input): void {
    this.inputs.set(input.position, input);
    if (input.fault !== undefined) this.unhandled.add(handling(undefined, input.position));
    for (const agent of this.#candidates(input)) {
      const counts = this.#counts(agent.type, input);
      if (counts === undefined) this.#undecided.push({ agent, input });
      if (counts !== false) this.unhandled.add(handling(agent, input.position));
    }
  }

  /** A subscription counts for what comes after its beginning (KNOW-4). */
  #counts(type: string, { acceptedAtMs, address, position }: Input): boolean | undefined {
    if (address.kind === "agent") return true;
    const beginning = this.#beginningOf(type, address.name);
    return beginning && (position > beginning.position || acceptedAtMs > beginning.atMs);
  }

  #decide(): void {
    this.#undecided = this.#undecided.filter(({ agent, input }) => {
      const counts = this.#counts(agent.type, input);
      if (counts === false) this.unhandled.delete(handling(agent, input.position));
      return counts === undefined;
    });
  }

  #turn({ agent, entry }: Extract<LogEntry, { readonly kind: "turn" }>): void {
    const decoded = decodeJournalRecord(entry.record);
    const name = agentName(agent);
    if (decoded.kind === "steps") {
      this.#steps(handling(agent, decoded.steps.inputPosition)).push(...decoded.steps.steps);
      return;
    }
    const { committedAtMs, revision } = entry;
    const journal = this.#journal(agent);
    if (decoded.kind === "park") {
      this.#parkingsOf(name).push({ revision, record: decoded.park });
      return;
    }
    if (decoded.kind === "tombstone") {
      this.#erased(name, { revision, record: decoded.tombstone });
      return;
    }
    if (decoded.kind === "base") {
      this.#basesOf(name).push({ revision, record: decoded.base });
      return;
    }
    const record = decoded.turn;
    const steps = this.#steps(handling(agent, record.inputPosition));
    steps.push(...(record.steps ?? []));
    journal.push({ revision, record, steps, committedAtMs });
    this.unhandled.delete(handling(agent, record.inputPosition));
  }

  /** Inputs before the tombstone need no turn any more. */
  #erased(name: string, tombstone: JournaledTombstone): void {
    this.#tombstones.set(name, [...(this.#tombstones.get(name) ?? []), tombstone]);
    for (const handled of this.#unhandledBefore(name, tombstone.record.inputPosition + 1))
      this.unhandled.delete(handled);
  }

  #journal(agent: AgentId): JournaledTurn[] {
    const name = agentName(agent);
    let journal = this.#journals.get(name);
    if (journal === undefined) {
      this.#journals.set(name, (journal = []));
      this.agents.push(agent);
    }
    return journal;
  }

  #basesOf(name: string): JournaledBase[] {
    let bases = this.#bases.get(name);
    if (bases === undefined) this.#bases.set(name, (bases = []));
    return bases;
  }

  #parkingsOf(name: string): JournaledPark[] {
    let parkings = this.#parkings.get(name);
    if (parkings === undefined) this.#parkings.set(name, (parkings = []));
    return parkings;
  }

  /** The steps of an agent's turn on an input, also of one that is not over. */
  #steps(turn: string): RecordedStep[] {
    let steps = this.#stepsOfTurns.get(turn);
    if (steps === undefined) this.#stepsOfTurns.set(turn, (steps = []));
    return steps;
  }

  #deadLetter(deadLetter: DeadLetter): void {
    this.deadLetters.push(deadLetter);
    if (deadLetter.agent === undefined) {
      this.unhandled.delete(handling(undefined, deadLetter.inputPosition));
    }
  }
}

function handling(agent: AgentId | undefined, position: Position): string {
  return `${agent === undefined ? "nobody" : agentName(agent)}@${position}`;
}
