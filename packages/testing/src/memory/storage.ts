/**
 * The stored log: one array of entries in log order, with an index per journal and per partition.
 *
 * Everything here is synchronous and atomic, as inside a server; the distance to it is the business
 * of the wire. A turn's record is stored first, then what it sends in order, then its dead letter.
 */
import type {
  Clock,
  AgentId,
  DeadLetter,
  Accepted,
  Input,
  Position,
  LogPart,
  InputPlace,
  JournalEntry,
  LogEntry,
  LogEnd,
  StoredAt,
} from "@troupe/core/log";
import { LogRefusedError, RevisionConflictError } from "@troupe/core/errors";
import { keyToToken, agentName } from "@troupe/core/log";
import { DuplicateWindow, type DuplicateWindowLimits } from "./duplicate-window.ts";
import type { Outbox, Source, StorableInput, StorableTurn } from "./storable.ts";
import { emptied, isOf, positionOf } from "./parts.ts";
import { journalName } from "./storable.ts";
import { Timers } from "./timers.ts";

/** Revision that a journal must have. */
export interface JournalFence {
  readonly name: string;
  readonly revision: Position;
}

export interface StorageOptions {
  readonly clock: Clock;
  readonly duplicates: DuplicateWindowLimits;
  readonly commitMessagesMax: number;
  /**
   * Outbox of an input that is for another shard; undefined for one that is for this shard. The log
   * takes an entry from there to the other shard.
   */
  readonly outboxOf?: ((input: StorableInput) => Outbox | undefined) | undefined;
}

export class Storage {
  /** The entry at position p is at index p - 1. */
  readonly entries: LogEntry[] = [];
  readonly #options: StorageOptions;
  readonly #journals = new Map<string, JournalEntry[]>();
  readonly #inputs = new Map<Source, Input[]>();
  /** Agent and position of the dead letters that were buried. */
  readonly #buried = new Set<string>();
  readonly #unroutable = new Set<Position>();
  /** Positions of entries that are for another shard. */
  readonly #outgoing = new Set<Position>();
  /** Positions of what is not there any more; every other entry keeps its place. */
  readonly #removed = new Set<Position>();
  readonly #duplicates: DuplicateWindow;
  readonly #timers: Timers;
  readonly #watchers = new Map<Source | "everything", (() => void)[]>();
  /** Identity of the log, which changes when it is made anew. */
  #generation = 1;
  #losses = 0;
  /** The log's clock, which never shows the same time for what was lost and what came after it. */
  #notBeforeMs = 0;

  constructor(options: StorageOptions) {
    this.#options = options;
    this.#duplicates = new DuplicateWindow(options.duplicates);
    this.#timers = new Timers(options.clock, (input) => void this.#storeInput(input));
  }

  accept(input: StorableInput, fence?: JournalFence): Accepted {
    const last = fence && (this.journal(fence.name).at(-1)?.revision ?? 0);
    if (fence !== undefined && last !== fence.revision) {
      throw new RevisionConflictError(
        `The journal ${fence.name} is at ${last}, not at ${fence.revision}: nothing was stored.`,
        { details: { journal: fence.name, expected: fence.revision, last } },
      );
    }
    const id = scopedId(input);
    const nowMs = this.#options.clock.now();
    const earlier = id === undefined ? undefined : this.#duplicates.find(id, nowMs);
    if (earlier !== undefined) return { position: earlier, duplicate: true };
    const position = this.#storeInput(input);
    if (id !== undefined) this.#duplicates.remember(id, position, nowMs);
    return { position, duplicate: false };
  }

  /** All or nothing (LOG-2): everything that can be wrong is found before anything is stored. */
  commit(turns: readonly StorableTurn[]): readonly Position[] {
    this.#refuseTooMany(turns);
    this.#refuseStale(turns);
    return turns.map((turn) => this.#storeTurn(turn));
  }

  bury(deadLetter: DeadLetter): void {
    const grave = graveOf(deadLetter);
    if (this.#buried.has(grave)) return;
    this.#buried.add(grave);
    this.#storeDeadLetter(deadLetter);
  }

  /** False when there is no dead letter at this position. */
  removeDeadLetter(position: Position): boolean {
    const entry = this.entries[position - 1];
    if (entry?.kind !== "dead-letter" || this.#removed.has(position)) return false;
    this.#removed.add(position);
    this.#buried.delete(graveOf(entry.deadLetter));
    return true;
  }

  /** Removes the records of a journal before one of its own (LOG-11); returns how many. */
  truncateJournal(name: string, before: Position): number {
    const journal = this.#journals.get(name) ?? [];
    const kept = journal.findIndex(({ revision }) => revision === before);
    if (kept < 0) {
      throw new LogRefusedError(
        `The journal ${name} has no record at ${before}: nothing was removed.`,
        { details: { journal: name, position: before } },
      );
    }
    for (const { revision } of journal.splice(0, kept)) this.#removed.add(revision);
    return kept;
  }

  /** Names of the journals that have a record. */
  get journalNames(): readonly string[] {
    return [...this.#journals].flatMap(([name, { length }]) => (length > 0 ? [name] : []));
  }

  /** Removes the records of all agents of a type before a position; returns how many. */
  truncateJournals(type: string, before: Position): number {
    let count = 0;
    for (const [name, journal] of this.#journals) {
      if (!name.startsWith(`${type}.`)) continue;
      const kept = journal.findIndex(({ revision }) => revision >= before);
      const gone = journal.splice(0, kept < 0 ? journal.length : kept);
      for (const { revision } of gone) this.#removed.add(revision);
      count += gone.length;
    }
    return count;
  }

  /** Removes the inputs of a place before a position; returns how many. */
  removeInputs({ kind, name, key }: InputPlace, before: Position): number {
    let count = 0;
    for (const entry of this.entries) {
      if (entry.kind !== "input" || entry.input.position >= before) continue;
      const { address, position } = entry.input;
      if (address.kind !== kind || address.name !== name || this.isUnroutable(position)) continue;
      if ((key !== undefined && address.key !== key) || this.#removed.has(position)) continue;
      this.#removed.add(position);
      count += 1;
    }
    return count;
  }

  /** Identity of the log, and its last position. */
  get end(): LogEnd {
    return { log: `memory-${this.#generation}`, last: this.entries.length };
  }

  /** Entries of a part up to a position, in order. */
  partOf(part: LogPart, upTo: Position): readonly LogEntry[] {
    return this.entries.filter((entry) => {
      const position = positionOf(entry);
      return position <= upTo && !this.#removed.has(position) && isOf(part, entry);
    });
  }

  /** Number of timers of an agent. */
  timersOf(agent: AgentId, upTo: Position): number {
    return this.#timers.count(journalName(agent), upTo);
  }

  /** Destroy the entries of the part up to a position; all others keep their place. */
  destroy(part: LogPart, upTo: Position): number {
    if (part.kind === "timers") return this.#timers.destroy(journalName(part.agent), upTo);
    const found = this.partOf(part, upTo);
    for (const entry of found) this.#destroyEntry(entry);
    return found.length;
  }

  #destroyEntry(entry: LogEntry): void {
    const position = positionOf(entry);
    this.#removed.add(position);
    this.entries[position - 1] = emptied(entry);
    if (entry.kind === "dead-letter") this.#buried.delete(graveOf(entry.deadLetter));
    if (entry.kind !== "turn") return;
    const journal = this.#journals.get(journalName(entry.agent));
    const index = journal?.indexOf(entry.entry) ?? -1;
    if (index >= 0) journal?.splice(index, 1);
  }

  at(position: Position): StoredAt | undefined {
    const entry = this.#removed.has(position) ? undefined : this.entries[position - 1];
    if (entry === undefined) return undefined;
    if (entry.kind === "input") {
      const { acceptedAtMs: storedAtMs, payload } = entry.input;
      return { storedAtMs, payload, isLasting: true };
    }
    if (entry.kind === "dead-letter") {
      const { deadLetter, storedAtMs } = entry;
      return { storedAtMs, payload: deadLetter.payload, isLasting: false };
    }
    const { committedAtMs: storedAtMs, record: payload } = entry.entry;
    return { storedAtMs, payload, isLasting: true };
  }

  /** Number of times that entries were lost. */
  get losses(): number {
    return this.#losses;
  }

  /** Lose everything after a position, as a restored backup or a lost tail does. */
  goBack(last: Position): void {
    this.#losses += 1;
    this.#notBeforeMs = this.#now() + 1;
    this.entries.length = Math.min(last, this.entries.length);
    for (const [name, journal] of this.#journals) {
      const kept = journal.filter(({ revision }) => revision <= last);
      journal.splice(0, journal.length, ...kept);
      if (kept.length === 0) this.#journals.delete(name);
    }
    for (const inputs of this.#inputs.values()) {
      const kept = inputs.findIndex(({ position }) => position > last);
      if (kept >= 0) inputs.length = kept;
    }
    for (const set of [this.#unroutable, this.#outgoing, this.#removed]) {
      for (const position of set) if (position > last) set.delete(position);
    }
    this.#buried.clear();
    for (const entry of this.entries) {
      const isThere = entry.kind === "dead-letter" && !this.#removed.has(entry.position);
      if (isThere) this.#buried.add(graveOf(entry.deadLetter));
    }
    this.#duplicates.goBack(last);
    this.#timers.goBack(last);
  }

  /** Lose everything and be another log. */
  makeAnew(): void {
    this.goBack(0);
    this.#generation += 1;
  }

  get nowMs(): number {
    return this.#now();
  }

  #now(): number {
    return Math.max(this.#notBeforeMs, this.#options.clock.now());
  }

  isRemoved(position: Position): boolean {
    return this.#removed.has(position) || this.#outgoing.has(position);
  }

  journal(name: string): readonly JournalEntry[] {
    return this.#journals.get(name) ?? [];
  }

  /** The inputs of a source in log order; the same growing array at every call. */
  inputs(source: Source): readonly Input[] {
    return listOf(this.#inputs, source);
  }

  isUnroutable(position: Position): boolean {
    return this.#unroutable.has(position);
  }

  /** An input that is nobody's here. */
  isOutgoing(position: Position): boolean {
    return this.#outgoing.has(position);
  }

  /** Store an input that the log took over from another shard. */
  take(input: StorableInput): void {
    this.#storeInput(input);
  }

  /**
   * Hear that something was stored, in one source or anywhere. Returns the function that ends it.
   */
  watch(source: Source | "everything", listener: () => void): () => void {
    const watchers = listOf(this.#watchers, source);
    watchers.push(listener);
    return () => {
      const index = watchers.indexOf(listener);
      if (index >= 0) watchers.splice(index, 1);
    };
  }

  #refuseTooMany(turns: readonly StorableTurn[]): void {
    let messages = 0;
    for (const { deadLetter, outgoing, timers } of turns) {
      messages += 1 + outgoing.length + timers.length + (deadLetter ? 1 : 0);
    }
    const max = this.#options.commitMessagesMax;
    if (messages <= max) return;
    throw new LogRefusedError(`A commit of ${messages} messages is over the limit of ${max}.`, {
      details: { messages, messagesMax: max },
    });
  }

  #refuseStale(turns: readonly StorableTurn[]): void {
    const journals = new Set<string>();
    for (const { agent, journal, expectedRevision: expected } of turns) {
      const last = this.journal(journal).at(-1)?.revision ?? 0;
      const follows = journals.has(journal);
      journals.add(journal);
      if (expected === "chained" ? follows : !follows && expected === last) continue;
      if (expected === "chained") {
        throw new LogRefusedError(`A chained turn of ${agentName(agent)} follows no turn of it.`);
      }
      throw new RevisionConflictError(
        `The journal of ${agentName(agent)} is at ${last}, not at ${expected}: reload it.`,
        { details: { agent: agentName(agent), expected, last } },
      );
    }
  }

  #storeTurn(turn: StorableTurn): Position {
    const revision = this.entries.length + 1;
    const committedAtMs = this.#now();
    const entry: JournalEntry = { revision, record: turn.record, committedAtMs };
    listOf(this.#journals, turn.journal).push(entry);
    this.#append({ kind: "turn", agent: turn.agent, entry });
    for (const input of turn.outgoing) this.#storeInput(input);
    if (turn.deadLetter !== undefined) this.#storeDeadLetter(turn.deadLetter);
    for (const timer of turn.timers) this.#timers.change(turn.journal, timer, revision);
    return revision;
  }

  #storeInput(storable: StorableInput): Position {
    const { source: wanted, ...stored } = storable;
    const position = this.entries.length + 1;
    const nowMs = this.#now();
    const input: Input = { ...stored, position, acceptedAtMs: nowMs };
    const outbox = this.#options.outboxOf?.(storable);
    if (outbox !== undefined) this.#outgoing.add(position);
    const source = outbox ?? wanted;
    listOf(this.#inputs, source).push(input);
    if (source === "unroutable") this.#unroutable.add(position);
    this.#append({ kind: "input", input });
    this.#tell(source);
    return position;
  }

  #storeDeadLetter(deadLetter: DeadLetter): void {
    const storedAtMs = this.#now();
    const position = this.entries.length + 1;
    this.#append({ kind: "dead-letter", position, deadLetter, storedAtMs });
  }

  #append(entry: LogEntry): void {
    this.entries.push(entry);
    this.#tell("everything");
  }

  /** Watchers only take note: they must not write, nor end another watch. */
  #tell(source: Source | "everything"): void {
    for (const watcher of this.#watchers.get(source) ?? []) watcher();
  }
}

/** An id is one of its address. */
function scopedId({ address, metadata }: StorableInput): string | undefined {
  const { kind, name, key } = address;
  return metadata.id === undefined
    ? undefined
    : `${kind}.${name}.${keyToToken(key)}:${metadata.id}`;
}

function graveOf({ agent, inputPosition }: DeadLetter): string {
  return `${agent === undefined ? "" : agentName(agent)}@${inputPosition}`;
}

function listOf<Key, Item>(lists: Map<Key, Item[]>, key: Key): Item[] {
  let list = lists.get(key);
  if (list === undefined) lists.set(key, (list = []));
  return list;
}
