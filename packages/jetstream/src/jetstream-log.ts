/** The log port on JetStream: each method hands over to the module of its concept. */
import type {
  Accepted,
  AcceptOptions,
  AgentId,
  CallOptions,
  Cell,
  DeadLetter,
  Floor,
  FollowRequest,
  Holdings,
  Input,
  InputDraft,
  InputPlace,
  JournalEntry,
  KeyStore,
  Log,
  LogEnd,
  LogEntry,
  LogLimits,
  LogPart,
  LogStatus,
  Manifest,
  ManifestNames,
  Position,
  Presence,
  Reader,
  ReadOptions,
  ReadRequest,
  StorageReport,
  StoredAt,
  TurnCommit,
  WaitReport,
} from "@troupe/core/log";

import { accept } from "./accept.ts";
import { Broadcast } from "./broadcast.ts";
import { bury } from "./bury.ts";
import { onCell, readCell, writeCell } from "./cells.ts";
import { TurnPublisher } from "./commit.ts";
import * as control from "./control-store.ts";
import { destroy, holdings } from "./destroy.ts";
import { getAt } from "./direct-get.ts";
import { follow } from "./follow.ts";
import { inputsOf } from "./inputs-of.ts";
import { readUnroutable, SharedRelays } from "./ingress-reader.ts";
import { isInputSubject } from "./input-subject.ts";
import { JetStreamKeys, type KeyStoreOptions } from "./key-store.ts";
import { firmAt } from "./leader-get.ts";
import { forgetNames, loadManifest, registerManifest } from "./manifests.ts";
import { readJournal } from "./journal.ts";
import { readPartition } from "./reader.ts";
import { firstInput, removeInputs, truncateJournal, truncateJournals } from "./remove.ts";
import { removeDeadLetter } from "./remove-dead-letter.ts";
import type { Relay } from "./relay.ts";
import type { Session } from "./session.ts";
import { logEnd, messageAt } from "./stream-position.ts";
import { storageReport } from "./storage-report.ts";
import { keysOf } from "./stored-subjects.ts";
import { WaitChannel } from "./wait-channel.ts";
import { StreamWatch } from "./stream-watch.ts";
import { storedInput } from "./stored-input.ts";

export class JetStreamLog implements Log {
  readonly namespace: string;
  readonly partitions: number;
  readonly shards = 1;
  readonly limits: LogLimits;
  readonly keys: KeyStore;
  readonly #session: Session;
  readonly #committer: TurnPublisher;
  readonly #watch: StreamWatch;
  /** Only the first shard's is used. */
  #broadcastMade: Broadcast | undefined;
  readonly #waits: WaitChannel;
  readonly #relays: SharedRelays;
  readonly #readers = new Set<Reader>();
  #lastReader = 0;

  /** @param relays what runs while unroutable messages are read */
  constructor(session: Session, keys: KeyStoreOptions, relays: () => readonly Relay[]) {
    this.namespace = session.subjects.namespace;
    this.partitions = session.subjects.partitions;
    this.limits = session.limits;
    this.keys = new JetStreamKeys(session, keys);
    this.#session = session;
    this.#committer = new TurnPublisher(session);
    this.#watch = new StreamWatch(session);
    if (session.subjects.shard === 0) this.#broadcastMade = new Broadcast(session);
    this.#waits = new WaitChannel(session);
    this.#relays = new SharedRelays(relays);
  }

  get #broadcast(): Broadcast {
    return (this.#broadcastMade ??= new Broadcast(this.#session));
  }

  get id(): string {
    return this.#session.identity.id;
  }

  nowMs(): number {
    return this.#session.time.nowMs;
  }

  accept(draft: InputDraft, options?: AcceptOptions): Promise<Accepted> {
    return accept(this.#session, draft, options);
  }

  commit(turns: readonly TurnCommit[]): Promise<readonly Position[]> {
    return this.#committer.commit(turns);
  }

  bury(deadLetter: DeadLetter): Promise<void> {
    return bury(this.#session, deadLetter);
  }

  removeDeadLetter(position: Position): Promise<boolean> {
    return removeDeadLetter(this.#session, position);
  }

  truncateJournal(agent: AgentId, before: Position): Promise<number> {
    return truncateJournal(this.#session, agent, before);
  }

  truncateJournals(type: string, before: Position): Promise<number> {
    return truncateJournals(this.#session, type, before);
  }

  removeInputs(place: InputPlace, before: Position): Promise<number> {
    return removeInputs(this.#session, place, before);
  }

  firstInput(
    partition: number,
    after: Position,
    place?: Pick<InputPlace, "kind" | "name">,
  ): Promise<Position | undefined> {
    return firstInput(this.#session, partition, after, place);
  }

  inputsOf(
    agent: AgentId,
    topics: readonly string[],
    after: Position,
    before: Position,
    options?: ReadOptions,
  ): Promise<readonly Input[]> {
    return inputsOf(this.#session, { agent, topics, after, before }, options);
  }

  holdings(part: LogPart, upTo: Position, options?: CallOptions): Promise<Holdings> {
    return holdings(this.#session, part, upTo, options);
  }

  destroy(part: LogPart, upTo: Position, options?: CallOptions): Promise<number> {
    return destroy(this.#session, part, upTo, options);
  }

  snapshot(agent: AgentId): Promise<Uint8Array | undefined> {
    return control.loadSnapshot(this.#session, agent);
  }

  saveSnapshot(agent: AgentId, snapshot: Uint8Array): Promise<void> {
    return control.saveSnapshot(this.#session, agent, snapshot);
  }

  journal(
    agent: AgentId,
    after: Position,
    options?: ReadOptions,
  ): Promise<readonly JournalEntry[]> {
    return readJournal(this.#session, { agent, after }, options);
  }

  async input(position: Position, options: ReadOptions = {}): Promise<Input | undefined> {
    const { subjects } = this.#session;
    if (!(position > 0)) return undefined;
    const read = options.firm === true ? firmAt : getAt;
    const stored = await read(this.#session, subjects.stream, position);
    if (stored === undefined || !isInputSubject(subjects, stored.subject)) return undefined;
    return storedInput(subjects, stored.subject, stored.message, stored);
  }

  at(position: Position): Promise<StoredAt | undefined> {
    return messageAt(this.#session, this.#session.subjects.stream, position);
  }

  end(): Promise<LogEnd> {
    return logEnd(this.#session);
  }

  keysOf(type: string, partition: number): Promise<readonly string[]> {
    return keysOf(this.#session, type, partition);
  }

  storage(): Promise<StorageReport> {
    return storageReport(this.#session);
  }

  read(request: ReadRequest): Reader {
    const id = `${this.#session.id}-${++this.#lastReader}`;
    this.#watch.start();
    const { source } = request;
    const reader =
      source === "unroutable"
        ? readUnroutable(this.#session, this.#relays, request, `unroutable-${id}`)
        : readPartition(this.#session, { ...request, source }, `p${source}-${id}`);
    this.#readers.add(reader);
    return {
      grant: (count, bytes) => reader.grant(count, bytes),
      stop: async () => {
        this.#readers.delete(reader);
        await reader.stop();
      },
    };
  }

  follow(request: FollowRequest): AsyncIterable<LogEntry> {
    return follow(this.#session, request);
  }

  floors(): Promise<readonly Floor[]> {
    return control.loadFloors(this.#session);
  }

  saveFloors(floors: readonly Floor[]): Promise<void> {
    return control.saveFloors(this.#session, floors);
  }

  register(manifest: Manifest): Promise<Manifest> {
    return registerManifest(this.#session, manifest);
  }

  forget(type: string, names: Partial<ManifestNames>): Promise<Manifest | undefined> {
    return forgetNames(this.#session, type, names);
  }

  manifest(type: string, options?: ReadOptions): Promise<Manifest | undefined> {
    return loadManifest(this.#session, type, options);
  }

  manifests(options?: ReadOptions): Promise<readonly Manifest[]> {
    return control.loadManifests(this.#session, options);
  }

  cell(name: string, options?: ReadOptions): Promise<Cell | undefined> {
    return readCell(this.#session, name, options);
  }

  writeCell(name: string, value: Uint8Array, expectedRevision: Position): Promise<Position> {
    return writeCell(this.#session, name, value, expectedRevision);
  }

  onCell(name: string, listener: (revision: Position) => void): () => void {
    return onCell(this.#session, name, listener);
  }

  announce(presence: Presence): void {
    this.#broadcast.announce(presence);
  }

  onPresence(listener: (presence: Presence) => void): () => void {
    return this.#broadcast.onPresence(listener);
  }

  probe(worker: string): Promise<boolean> {
    return this.#broadcast.probe(worker);
  }

  replyAddress(): string {
    return this.#broadcast.replyAddress();
  }

  reply(replyTo: string, payload: Uint8Array): void {
    this.#broadcast.reply(replyTo, payload);
  }

  onReply(listener: (replyTo: string, payload: Uint8Array) => void): () => void {
    return this.#broadcast.onReply(listener);
  }

  announceWaits(report: WaitReport): void {
    this.#waits.announce(report);
  }

  onWaits(listener: (report: WaitReport) => void): () => void {
    return this.#waits.listen(listener);
  }

  cancelAsk(replyTo: string): void {
    this.#broadcast.cancelAsk(replyTo);
  }

  onAskCancelled(listener: (replyTo: string) => void): () => void {
    return this.#broadcast.onAskCancelled(listener);
  }

  onStatus(listener: (status: LogStatus) => void): () => void {
    return this.#session.link.onStatus(listener);
  }

  onFault(listener: (what: string, thrown: unknown) => void): () => void {
    return this.#session.faults.listen(listener);
  }

  flush(): Promise<void> {
    return this.#session.link.flush();
  }

  async close(): Promise<void> {
    this.#watch.stop();
    await Promise.all([...this.#readers].map((reader) => reader.stop()));
    this.#readers.clear();
    await this.#session.link.close();
  }
}
