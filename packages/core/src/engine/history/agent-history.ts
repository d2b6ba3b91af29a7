/**
 * An agent's committed past: its state, and the part of the journal that is known.
 *
 * Loading folds the journal from the last snapshot on; without one from the beginning. Afterwards
 * only what was committed elsewhere is read, from the known revision on. A snapshot is a cache of
 * the fold and nothing else: it may be missing, lost or of another version of the state, and the
 * journal decides. A journal whose beginning was removed begins at a base record (BASE-1, BASE-2 in
 * journal/base-record.ts).
 */
import { coversFold } from "../../definition/event-version.ts";
import { DigestKeyError, type JournalHoleError } from "../../errors/journal-errors.ts";
import { CorruptSnapshotError, ForeignSnapshotError } from "../../errors/snapshot-errors.ts";
import type { InspectionFeed } from "../inspection/inspection-feed.ts";
import { type AgentId, agentName } from "../../definition/message/address.ts";
import { digestKeyCell } from "../../log/digest-key.ts";
import type { Position } from "../../definition/message/input.ts";
import { journalPages } from "../../log/journal-pages.ts";
import type { JournalEntry, Log } from "../../log/log.ts";
import type { BaseRecord } from "../../journal/base-record.ts";
import { knowing, type KnownBase } from "../../journal/known-base.ts";
import { stateOfBase } from "../../journal/state-of-base.ts";
import { type AgentState, endedBefore, openAsksAfter, stateAtFirst } from "../turn/agent-state.ts";
import type { Parked, ParkRecord } from "../../journal/park-record.ts";
import { type OpenRecord, openRecords } from "../personal/open-records.ts";
import { openedSnapshot } from "./sealed-state.ts";
import { withReferences } from "../personal/state-references.ts";
import { subjectKeys } from "../personal/subject-keys.ts";
import type { EarlierRun } from "../../journal/earlier-run.ts";
import type { RecordedStep } from "../../journal/recorded-step.ts";
import type { StepRecord } from "../../journal/step-record.ts";
import { holeBefore } from "../../journal/turn-order.ts";
import type { Turn } from "../turn/turn.ts";
import type { TombstoneRecord } from "../../journal/tombstone-record.ts";
import type { TurnRecord } from "../../journal/turn-record.ts";
import { stored } from "../../wire/storable.ts";
import type { LogFooting } from "../../log/log-footing.ts";
import type { LogIdentity } from "../runtime/log-identity.ts";
import { openAfter, UncommittedRuns } from "./uncommitted-runs.ts";
import type { AgentRuntime } from "../runtime/agent-runtime.ts";
import type { KeptSnapshot, Snapshot } from "./snapshot.ts";
import { decodeSnapshot, isTakenAfter, openSnapshot, sumOfRecord } from "./snapshot.ts";

export interface HistoryHost {
  readonly log: Log;
  readonly feed: InspectionFeed;
  /** Told of what is read. */
  readonly footing: Pick<LogFooting, "read">;
  /** Absent for who only reads: then no step is taken again. */
  readonly identity?: Pick<LogIdentity, "digests">;
  /** Reads firmly: nothing that is stored by now may be missing (LOG-8). @default false */
  readonly firm?: boolean;
}

/** Keys with which a record was opened, and the number of changes since which they are in doubt. */
type OpenedWith = Pick<OpenRecord<JournalEntry>, "changes" | "references">;

/** Position of a base record, and the keys with which its state was opened. */
interface BasePlace extends OpenedWith {
  readonly position: Position;
  readonly storedAtMs: number;
}

export class AgentHistory {
  readonly #host: HistoryHost;
  readonly #runtime: AgentRuntime;
  readonly #agent: AgentId;
  #current: AgentState;
  #revision: Position = 0;
  /** Number of the turn at which the last snapshot was loaded or taken. */
  #snapshotTurns = 0;
  /** Bytes of the records since then. */
  #tailBytes = 0;
  #parked: Parked | undefined;
  readonly #runs = new UncommittedRuns();
  #confirmed = false;
  #advanced = false;
  /** The newest base records, in order. */
  #bases: readonly KnownBase[] = [];
  /** Turns at the newest base record, as far as anybody knew; 0 without one. */
  #baseTurns = 0;
  /** Position of the base record at which the journal began when it was read; 0 for its first. */
  #begins: Position = 0;
  /** Turns are missing; a base record behind them mends that (BASE-1). */
  #hole: JournalHoleError | undefined;
  /** Turns at the tombstone. */
  #turnsErased = -1;
  /** Steps of turns that are not committed, by their input's position; several in a batch. */
  #openSteps: Map<Position, readonly RecordedStep[]> | undefined;

  constructor(host: HistoryHost, runtime: AgentRuntime, agent: AgentId) {
    this.#host = host;
    this.#runtime = runtime;
    this.#agent = agent;
    this.#current = stateAtFirst(runtime.definition);
  }

  get current(): AgentState {
    return this.#current;
  }

  /** Position of the journal's last record as far as it is known here; 0 before the first. */
  get revision(): Position {
    return this.#revision;
  }

  /**
   * Turns and bytes of the journal since the last snapshot that was loaded or taken: an activation
   * would read these besides it.
   */
  get sinceSnapshot(): { readonly turns: number; readonly bytes: number } {
    return { turns: this.#current.turns - this.#snapshotTurns, bytes: this.#tailBytes };
  }

  get agent(): AgentId {
    return this.#agent;
  }

  get runtime(): AgentRuntime {
    return this.#runtime;
  }

  /** The newest base records that are known to be in the journal, in order. */
  get bases(): readonly KnownBase[] {
    return this.#bases;
  }

  /** Turns since the newest base record. */
  get turnsSinceBase(): number {
    return this.#current.turns - this.#baseTurns;
  }

  /** The log stored one more turn of ours. */
  advance(next: AgentState, revision: Position, { bytes, end, host }: Turn): void {
    this.#current = next;
    this.#tailBytes += bytes.byteLength;
    this.#revision = revision;
    this.#confirmed = true;
    this.#advanced = true;
    this.#closeSteps();
    const nowMs = host.log.nowMs();
    if (end !== undefined) this.#know({ ...next, coveredAtMs: nowMs }, revision, nowMs);
  }

  /** The log stored a base record of ours. */
  baseStored(base: BaseRecord, revision: Position, bytes: number): void {
    this.#tailBytes += bytes;
    this.#know(base, revision, this.#host.log.nowMs());
    this.#revision = revision;
    this.#confirmed = true;
  }

  #know(
    base: Pick<BaseRecord, "turns" | "lastInput" | "coveredAtMs"> & Partial<BaseRecord>,
    revision: Position,
    storedAtMs: number,
  ): void {
    const { coveredAtMs, ended, lastInput, turns } = base;
    const { foldVersion = this.#runtime.foldVersion } = base;
    const known = { revision, turns, lastInput, coveredAtMs, storedAtMs, foldVersion };
    this.#baseTurns = turns;
    this.#bases = knowing(this.#bases, { ...known, ended: ended !== undefined });
  }

  /** Forgets the base records up to this one: the records before it are removed, or about to be. */
  forgetBasesTo(revision: Position): void {
    this.#bases = this.#bases.filter((base) => base.revision > revision);
  }

  /**
   * The log stored steps of the turn that is running; a turn that starts again must not lose them.
   * @param bytes of their record
   */
  stepsStored(steps: StepRecord, revision: Position, bytes: number): void {
    this.#tailBytes += bytes;
    this.#remember(steps);
    this.#revision = revision;
    this.#confirmed = true;
  }

  /**
   * True when the journal took a record of ours since it was loaded: no other worker had written to
   * it, also where the load came from a replica that was behind (STEP-6).
   */
  get confirmed(): boolean {
    return this.#confirmed;
  }

  /**
   * True when a turn of ours was stored since the load: no other worker can have begun a later
   * message.
   */
  get advanced(): boolean {
    return this.#advanced;
  }

  /** Whether nothing came after its tombstone. */
  get erased(): boolean {
    return this.#current.turns === this.#turnsErased;
  }

  /** Reason why the agent is parked, and where; undefined when it is not. */
  get parked(): Parked | undefined {
    return this.#parked;
  }

  /** The log stored that the agent is parked or resumed. */
  parkStored(record: ParkRecord, revision: Position): void {
    this.#mark(record, revision);
    this.#revision = revision;
    this.#confirmed = true;
  }

  #mark({ parked, inputPosition, failure }: ParkRecord, revision: Position): void {
    const unknown = { code: "unknown", message: "no reason was recorded", retryable: false };
    // A new count begins when the agent is resumed.
    this.#runs.forgetBegun();
    this.#parked = parked ? { inputPosition, failure: failure ?? unknown, revision } : undefined;
  }

  /** Steps that the journal holds of a turn that is not committed yet. */
  stepsOf(inputPosition: Position): readonly RecordedStep[] {
    return this.#openSteps?.get(inputPosition) ?? [];
  }

  /** Whether there are such runs, of any input. */
  get hasBegunRuns(): boolean {
    return this.#runs.hasBegun;
  }

  /** Sessions of the workers that began to handle this input, as far as it was written down. */
  runsBegunOf(inputPosition: Position): readonly string[] {
    return this.#runs.begunOf(inputPosition);
  }

  /**
   * Runs of this input that failed, and those whose processes ended meanwhile. @param session of
   * the worker that asks: its own run is under way
   */
  earlierRunsOf(inputPosition: Position, session: string): readonly EarlierRun[] {
    return this.#runs.earlierOf(inputPosition, session);
  }

  /** Whether a successor needs steps that are older than the last turn. */
  get hasOpenSteps(): boolean {
    return this.#openSteps !== undefined || this.#runs.hasBegun;
  }

  /**
   * State from which a successor goes on from here. From now on `sinceSnapshot` counts from this
   * one.
   *
   * @param lastRecord the record at the revision
   */
  takeSnapshot(lastRecord: Uint8Array): Snapshot {
    const { state, turns, lastInput, references, openAsks, ended } = this.#current;
    this.#snapshotTurns = turns;
    this.#tailBytes = 0;
    const { foldVersion } = this.#runtime;
    const place = { revision: this.#revision, recordSum: sumOfRecord(lastRecord) };
    const known = { baseTurns: this.#baseTurns, bases: this.#bases, openAsks, ended };
    return { state, turns, lastInput, references, ...place, foldVersion, ...known };
  }

  /**
   * Apply the records that the log has beyond the known revision. @throws LogUnavailableError, and
   * what the fold throws
   */
  async load(): Promise<void> {
    this.#confirmed = false;
    this.#advanced = false;
    if (await this.#holdsErased()) this.#forget();
    const snapshot = this.#revision === 0 ? await this.#snapshot() : undefined;
    if (snapshot === undefined) await this.#readFrom(this.#revision);
    else await this.#readWith(snapshot);
    const hole = this.#hole;
    if (hole === undefined) return;
    this.#forget();
    throw hole;
  }

  async #readWith(snapshot: KeptSnapshot): Promise<void> {
    // With the record of the snapshot once more, to see that the journal has it.
    const pages = this.#pagesAfter(snapshot.revision - 1);
    const { value: page } = await pages.next();
    const record = await this.#recordOf(snapshot, page?.[0]);
    const open = record && (await this.#opened(snapshot, record));
    if (open === undefined) {
      await this.#readFrom(0);
      // One from before the journal's beginning is only old.
      if (record === undefined && this.#begins <= snapshot.revision) this.#tellForeign(snapshot);
      return;
    }
    this.#startFrom(open);
    await this.#applyPage(page ?? []);
    for await (const next of pages) await this.#applyPage(next);
  }

  /** Personal data that was erased meanwhile is in the state (SEAL-3). */
  async #holdsErased(): Promise<boolean> {
    const { references } = this.#current;
    if (references === undefined) return false;
    const found = await subjectKeys(this.#host.log).learn(references.all);
    return [...found.values()].includes("erased");
  }

  /** Begins a new life: of the old one only its last input counts, as handled. */
  #beginAgain({ inputPosition, turns }: Pick<TombstoneRecord, "inputPosition" | "turns">): void {
    const { definition } = this.#runtime;
    this.#current = { ...stateAtFirst(definition), turns, lastInput: inputPosition };
    this.#turnsErased = turns;
    this.#hole = undefined;
    this.#bases = [];
    this.#baseTurns = turns;
    this.#snapshotTurns = turns;
    this.#tailBytes = 0;
    this.#parked = undefined;
    this.#runs.forgetBegun();
    this.#openSteps = undefined;
  }

  /** Forgets the journal, which is read from the beginning the next time. */
  #forget(): void {
    this.#beginAgain({ turns: 0, inputPosition: 0 });
    this.#turnsErased = -1;
    this.#revision = 0;
  }

  async #readFrom(after: Position): Promise<void> {
    for await (const page of this.#pagesAfter(after)) await this.#applyPage(page);
  }

  #pagesAfter(after: Position): AsyncGenerator<readonly JournalEntry[], void, undefined> {
    const { firm, log } = this.#host;
    return journalPages(log, this.#agent, after, { firm });
  }

  async #applyPage(page: readonly JournalEntry[]): Promise<void> {
    const entries = page.filter(({ revision }) => revision > this.#revision);
    for (const open of await openRecords(this.#host.log, entries)) this.#apply(open);
    const { committedAtMs = 0, revision = 0 } = page.at(-1) ?? {};
    this.#host.footing.read(revision, committedAtMs);
  }

  /** The record after which the snapshot was taken, if the journal has it (I16). */
  async #recordOf(
    snapshot: KeptSnapshot,
    entry: JournalEntry | undefined,
  ): Promise<Uint8Array | undefined> {
    // The worker that took it did not know yet that the log's tail was lost.
    if (snapshot.lastInput >= snapshot.revision) return undefined;
    if (entry !== undefined && isTakenAfter(snapshot, entry.revision, entry.record))
      return entry.record;
    // The replica that answered may be behind, the log's leader is not.
    const found = await this.#host.log.at(snapshot.revision);
    if (found === undefined || !isTakenAfter(snapshot, snapshot.revision, found.payload))
      return undefined;
    return found.payload;
  }

  /** Undefined when it is corrupt, or holds what was erased. */
  async #opened(kept: KeptSnapshot, record: Uint8Array): Promise<Snapshot | undefined> {
    const snapshot = openSnapshot(kept, record, agentName(this.#agent));
    if (snapshot instanceof CorruptSnapshotError) return this.#tellCorrupt(snapshot);
    return openedSnapshot(this.#host.log, snapshot);
  }

  #tellCorrupt(error: CorruptSnapshotError): undefined {
    const what = `snapshot of ${agentName(this.#agent)}`;
    this.#host.feed.emit({ kind: "fault", what, failure: error.toData() });
  }

  #tellForeign({ revision }: KeptSnapshot): void {
    const agent = agentName(this.#agent);
    const failure = new ForeignSnapshotError(
      `The snapshot of ${agent} was taken after the record at ${revision}, which the journal does not have (any more): the snapshot is not used, and the state is what the journal says.`,
      { details: { agent, revision } },
    ).toData();
    this.#host.feed.emit({ kind: "fault", what: `snapshot of ${agent}`, failure });
  }

  /** A snapshot that is usable here, if there is one. */
  async #snapshot(): Promise<KeptSnapshot | undefined> {
    const bytes = await this.#host.log.snapshot(this.#agent);
    const snapshot =
      bytes === undefined ? undefined : decodeSnapshot(bytes, agentName(this.#agent));
    if (snapshot instanceof CorruptSnapshotError) return this.#tellCorrupt(snapshot);
    if (snapshot === undefined) return undefined;
    return coversFold(this.#runtime.foldVersion, snapshot.foldVersion) ? snapshot : undefined;
  }

  #startFrom(snapshot: Snapshot): void {
    const { turns, lastInput, references, openAsks, ended, revision } = snapshot;
    this.#baseTurns = snapshot.baseTurns;
    this.#bases = snapshot.bases;
    const state = stored(snapshot.state, `The snapshot of ${agentName(this.#agent)}`);
    this.#current = { state, turns, lastInput, references, openAsks, ended };
    this.#revision = revision;
    this.#snapshotTurns = turns;
  }

  /** The revision moves last: a record that cannot be folded is met again by the next load. */
  #apply({ entry, record, ...keys }: OpenRecord<JournalEntry>): void {
    const { committedAtMs: storedAtMs, revision } = entry;
    this.#tailBytes += entry.record.byteLength;
    if (record.kind === "steps") this.#remember(record.steps);
    else if (record.kind === "park") this.#mark(record.park, revision);
    else if (record.kind === "base") {
      this.#meet(record.base, { position: revision, ...keys, storedAtMs });
    } else if (record.kind === "tombstone") this.#beginAgain(record.tombstone);
    else this.#fold(record.turn, revision, keys);
    this.#revision = revision;
  }

  #fold(
    { answering, events, inputPosition, turn }: TurnRecord,
    position: Position,
    keys: OpenedWith,
  ): void {
    const place = { agent: this.#agent, position };
    this.#hole ??= holeBefore(place, { expected: this.#current.turns + 1, found: turn });
    if (this.#hole !== undefined) return;
    let { state } = this.#current;
    for (const event of events) state = this.#runtime.fold(state, event, place);
    // A record comes after its input. One that does not is of an input that was in a lost tail: the
    // input that lies there now is another one, and not handled (I16).
    const lastInput = inputPosition < position ? inputPosition : this.#current.lastInput;
    const before = this.#current.references;
    const references = withReferences(before, keys.references, keys.changes);
    const openAsks = openAsksAfter(this.#current.openAsks, answering, inputPosition);
    const ended = endedBefore(this.#current);
    this.#current = { state, turns: turn, lastInput, references, openAsks, ended };
    this.#closeSteps();
  }

  /** A base record is where the journal begins, or says what is known (BASE-1, BASE-2, BASE-3). */
  #meet(base: BaseRecord, { position, storedAtMs, ...keys }: BasePlace): void {
    const { ended, lastInput, openAsks, turns } = base;
    const isKnown = this.#hole === undefined && this.#current.turns === turns;
    if (!isKnown || ended !== undefined) {
      const { definition } = this.#runtime;
      const state = stateOfBase(definition, base, { agent: this.#agent, position });
      const references = withReferences(undefined, keys.references, keys.changes);
      this.#current = { state, turns, lastInput, references, openAsks, ended };
    }
    if (!isKnown) {
      this.#hole = undefined;
      this.#begins = position;
      this.#bases = [];
      this.#snapshotTurns = turns;
      this.#closeSteps();
    }
    this.#know(base, position, storedAtMs);
  }

  #remember(record: StepRecord): void {
    const { inputPosition, steps } = record;
    this.#runs.remember(record);
    if (steps.length === 0) return;
    this.#requireSameKey(record);
    this.#openSteps ??= new Map();
    this.#openSteps.set(inputPosition, [...this.stepsOf(inputPosition), ...steps]);
  }

  /**
   * Requires the key of the steps' digests: with another one no step would be recognised, and all
   * effects would happen again (I6).
   * @throws DigestKeyError
   */
  #requireSameKey({ digestKey, inputPosition }: StepRecord): void {
    const keyId = this.#host.identity?.digests.keyId;
    if (keyId === undefined || digestKey === undefined || digestKey === keyId) return;
    const agent = agentName(this.#agent);
    throw new DigestKeyError(
      `The steps of ${agent} for the message at ${inputPosition} were recorded with the digest key ${digestKey}, and this namespace has the key ${keyId}: restore the cell ${digestKeyCell} of the namespace that recorded them, or its effects would happen again.`,
      { details: { agent, position: inputPosition, digestKey, keyId } },
    );
  }

  #closeSteps(): void {
    const { lastInput } = this.#current;
    if (this.#openSteps !== undefined) this.#openSteps = openAfter(this.#openSteps, lastInput);
    this.#runs.close(lastInput);
  }
}
