/**
 * Records of some types' journals, agent by agent, as one pass over them sees them; and the
 * position up to which all of a type may go at once.
 *
 *  CENSUS-1 Nothing of an agent goes that its own rule keeps: of one behind none of whose base
 *     records anything may go, its first record bounds what goes of the type. So each agent that
 *     was seen has a base record at the bound or after it, or begins there.
 *  CENSUS-2 An agent that was not seen begins after the end of the pass. Where there was no room
 *     for one, its first record bounds what goes (I7).
 *  CENSUS-3 Later than the pass more may go, never less: a late worker removes only what may go.
 */
import type { AgentId } from "../../definition/message/address.ts";
import { agentName } from "../../definition/message/address.ts";
import type { Position } from "../../definition/message/input.ts";
import type { JournalEntry } from "../../log/log.ts";
import type { JournalRecord } from "../../journal/journal-record.ts";
import { decodeJournalRecord, isTurnRecord } from "../../journal/journal-record.ts";
import type { AgentRuntime } from "../runtime/agent-runtime.ts";
import type { KnownBase } from "../../journal/known-base.ts";
import { knowing } from "../../journal/known-base.ts";
import { removableBase } from "./removable.ts";

/** Facts that were seen of one agent. */
export interface Counted {
  readonly agent: AgentId;
  /** Position of its first record. */
  readonly first: Position;
  /** No input before it is about a record that is there. */
  readonly firstInput: Position;
  last: Position;
  lastStoredAtMs: number;
  records: number;
  turns: number;
  bases: readonly KnownBase[];
  /** The last record is a base record. */
  isBased: boolean;
  /** Set when a record of it cannot be read here. */
  isUnreadable: boolean;
}

/** Up to where everything of a type may go. */
export interface Bound {
  /** Records before it. */
  readonly records: Position;
  /** Inputs before it, as far as records say. */
  readonly inputs: Position;
  /** The first record of the type, or the first input that is known. */
  readonly first: Position;
  /** The agent that keeps more from going; undefined when there is none. */
  readonly heldBy: Counted | undefined;
  /** Number of records that lie before it, nearly. */
  readonly count: number;
}

export class Census {
  readonly #agents = new Map<string, Counted>();
  /** Every so many of a type's records one position, by type. */
  readonly #samples = new Map<string, Position[]>();
  #sinceSample = new Map<string, number>();
  /** First record, by type, whose agent had no room. */
  readonly #ends = new Map<string, Position>();
  /** Between two samples. */
  readonly #every: number;
  #records = 0;

  /** @param countMin the least count of a bound that matters, which is seen then. @default 64 */
  constructor(countMin?: number) {
    this.#every = Math.min(sampleEveryMax, countMin ?? Infinity);
  }

  /** Records that were seen. */
  get records(): number {
    return this.#records;
  }

  get agents(): Iterable<Counted> {
    return this.#agents.values();
  }

  see(agent: AgentId, entry: JournalEntry): void {
    this.#records += 1;
    this.#sample(agent.type, entry.revision);
    const name = agentName(agent);
    const known = this.#agents.get(name);
    if (known !== undefined) {
      update(known, entry);
      return;
    }
    if (this.#agents.size < agentsMax) this.#agents.set(name, beginning(agent, entry));
    else if (!this.#ends.has(agent.type)) this.#ends.set(agent.type, entry.revision);
  }

  /** @param nowMs by the log's clock */
  bound(runtime: AgentRuntime, nowMs: number, settleMs: number): Bound {
    const { type } = runtime;
    let records = this.#ends.get(type) ?? Infinity;
    let inputs = Infinity;
    let oldest = Infinity;
    let heldBy: Counted | undefined;
    for (const counted of this.#agents.values()) {
      if (counted.agent.type !== type) continue;
      oldest = Math.min(oldest, counted.first, counted.firstInput);
      const base = baseOf(counted, runtime, nowMs, settleMs);
      const [first, input] =
        base === undefined
          ? [counted.first, counted.firstInput]
          : [base.revision, base.lastInput + 1];
      inputs = Math.min(inputs, input);
      if (first >= records) continue;
      records = first;
      heldBy = counted;
    }
    const count = this.#before(type, records);
    return { records, inputs, first: oldest, heldBy, count };
  }

  #before(type: string, position: Position): number {
    const samples = this.#samples.get(type) ?? [];
    const index = samples.findIndex((each) => each >= position);
    return (index < 0 ? samples.length : index) * this.#every;
  }

  #sample(type: string, position: Position): void {
    const since = (this.#sinceSample.get(type) ?? 0) + 1;
    this.#sinceSample.set(type, since % this.#every);
    if (since < this.#every) return;
    const samples = this.#samples.get(type) ?? [];
    samples.push(position);
    this.#samples.set(type, samples);
  }
}

function baseOf(
  counted: Counted,
  runtime: AgentRuntime,
  nowMs: number,
  settleMs: number,
): KnownBase | undefined {
  const { bases, isUnreadable, turns } = counted;
  if (isUnreadable) return undefined;
  return removableBase({ bases, current: { turns }, runtime }, nowMs, settleMs);
}

function beginning(agent: AgentId, entry: JournalEntry): Counted {
  const { revision } = entry;
  const record = decoded(entry);
  const counted: Counted = {
    agent,
    first: revision,
    firstInput: record === undefined ? 0 : inputOf(record),
    last: revision,
    lastStoredAtMs: entry.committedAtMs,
    records: 1,
    turns: record?.kind === "turn" ? record.turn.turn : 0,
    bases: [],
    isBased: record?.kind === "base",
    isUnreadable: record === undefined,
  };
  if (record !== undefined) learn(counted, record, entry);
  return counted;
}

function update(counted: Counted, entry: JournalEntry): void {
  counted.last = entry.revision;
  counted.lastStoredAtMs = entry.committedAtMs;
  counted.records += 1;
  counted.isBased = false;
  if (isTurnRecord(entry.record)) {
    counted.turns += 1;
    return;
  }
  const record = decoded(entry);
  if (record === undefined) counted.isUnreadable = true;
  else learn(counted, record, entry);
}

function learn(counted: Counted, record: JournalRecord, entry: JournalEntry): void {
  if (record.kind === "tombstone") counted.turns = record.tombstone.turns;
  if (record.kind !== "base") return;
  const { coveredAtMs, ended, foldVersion, lastInput, turns } = record.base;
  const { committedAtMs: storedAtMs, revision } = entry;
  counted.turns = turns;
  counted.isBased = true;
  const known = { revision, turns, lastInput, coveredAtMs, storedAtMs, foldVersion };
  counted.bases = knowing(counted.bases, { ...known, ended: ended !== undefined });
}

/** The first input that what follows may be about. */
function inputOf(record: JournalRecord): Position {
  if (record.kind === "turn") return record.turn.inputPosition;
  if (record.kind === "base") return record.base.lastInput + 1;
  if (record.kind === "tombstone") return record.tombstone.inputPosition + 1;
  return (record.kind === "steps" ? record.steps : record.park).inputPosition;
}

function decoded({ record }: JournalEntry): JournalRecord | undefined {
  try {
    return decodeJournalRecord(record);
  } catch {
    return undefined;
  }
}

/** Agents that are remembered while their journals pass by (I7). */
const agentsMax = 200_000;
const sampleEveryMax = 64;
