/**
 * The stored log: one array of entries in log order, with an index per journal and per partition.
 *
 * Everything here is synchronous and atomic, as inside a server; the distance to it is the business
 * of the wire. A turn's record is stored first, then what it sends in order, then its dead letter.
 */
import type { Clock } from "../../clock/clock.ts";
import { LogRefusedError, RevisionConflictError } from "../../errors/log-errors.ts";
import { agentName } from "../../log/address.ts";
import type { DeadLetter } from "../../log/dead-letter.ts";
import type { Accepted, Input, Position } from "../../log/input.ts";
import type { JournalEntry, LogEntry } from "../../log/log.ts";
import { DuplicateWindow, type DuplicateWindowLimits } from "./duplicate-window.ts";
import type { Source, StorableInput, StorableTurn } from "./storable.ts";
import { Timers } from "./timers.ts";

export interface StorageOptions {
  readonly clock: Clock;
  readonly duplicates: DuplicateWindowLimits;
  readonly commitMessagesMax: number;
}

export class Storage {
  /** The entry at position p is at index p - 1. */
  readonly entries: LogEntry[] = [];
  readonly #options: StorageOptions;
  readonly #journals = new Map<string, JournalEntry[]>();
  readonly #inputs = new Map<Source, Input[]>();
  /** Agent and position of the dead letters that were buried. */
  readonly #buried = new Set<string>();
  readonly #misfits = new Set<Position>();
  /** Positions of dead letters that are not there any more; every other entry keeps its place. */
  readonly #removed = new Set<Position>();
  readonly #duplicates: DuplicateWindow;
  readonly #timers: Timers;
  readonly #watchers = new Map<Source | "everything", (() => void)[]>();

  constructor(options: StorageOptions) {
    this.#options = options;
    this.#duplicates = new DuplicateWindow(options.duplicates);
    this.#timers = new Timers(options.clock, (input) => void this.#storeInput(input));
  }

  accept(input: StorableInput): Accepted {
    const id = input.metadata.id;
    const nowMs = this.#options.clock.now();
    const earlier = id === undefined ? undefined : this.#duplicates.find(id, nowMs);
    if (earlier !== undefined) return { position: earlier, duplicate: true };
    const position = this.#storeInput(input);
    if (id !== undefined) this.#duplicates.remember(id, position, nowMs);
    return { position, duplicate: false };
  }

  /** All or nothing (L2): everything that can be wrong is found before anything is stored. */
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

  isRemoved(position: Position): boolean {
    return this.#removed.has(position);
  }

  journal(name: string): readonly JournalEntry[] {
    return this.#journals.get(name) ?? [];
  }

  /** The inputs of a source in log order; the same growing array at every call. */
  inputs(source: Source): readonly Input[] {
    return listOf(this.#inputs, source);
  }

  isMisfit(position: Position): boolean {
    return this.#misfits.has(position);
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
    const committedAtMs = this.#options.clock.now();
    const entry: JournalEntry = { revision, record: turn.record, committedAtMs };
    listOf(this.#journals, turn.journal).push(entry);
    this.#append({ kind: "turn", agent: turn.agent, entry });
    for (const input of turn.outgoing) this.#storeInput(input);
    if (turn.deadLetter !== undefined) this.#storeDeadLetter(turn.deadLetter);
    for (const timer of turn.timers) this.#timers.change(turn.journal, timer);
    return revision;
  }

  #storeInput({ source, ...stored }: StorableInput): Position {
    const position = this.entries.length + 1;
    const nowMs = this.#options.clock.now();
    const input: Input = { ...stored, position, acceptedAtMs: nowMs };
    listOf(this.#inputs, source).push(input);
    if (source === "misfits") this.#misfits.add(position);
    this.#append({ kind: "input", input });
    this.#tell(source);
    return position;
  }

  #storeDeadLetter(deadLetter: DeadLetter): void {
    const storedAtMs = this.#options.clock.now();
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

function graveOf({ agent, inputPosition }: DeadLetter): string {
  return `${agent === undefined ? "" : agentName(agent)}@${inputPosition}`;
}

function listOf<Key, Item>(lists: Map<Key, Item[]>, key: Key): Item[] {
  let list = lists.get(key);
  if (list === undefined) lists.set(key, (list = []));
  return list;
}
