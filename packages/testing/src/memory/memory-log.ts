/** The log port on a memory broker: one connection, which stands for one process. */
import { PayloadTooLargeError } from "@troupe/core/errors";
import type {
  AgentId,
  Cell,
  DeadLetter,
  Holdings,
  LogPart,
  Accepted,
  Input,
  InputDraft,
  Position,
  AcceptOptions,
  Floor,
  FollowRequest,
  InputPlace,
  JournalEntry,
  Log,
  LogEntry,
  LogLimits,
  LogStatus,
  Reader,
  ReadOptions,
  ReadRequest,
  TurnCommit,
  Manifest,
  ManifestNames,
  KeyStore,
  LogEnd,
  StoredAt,
  WaitReport,
  Presence,
  StorageReport,
} from "@troupe/core/log";
import {
  agentName,
  keyToToken,
  requireCellFits,
  grownManifest,
  shrunkManifest,
} from "@troupe/core/log";
import { follow } from "./follow.ts";
import { connectKeys } from "./keys.ts";
import { Listeners } from "./listeners.ts";
import { destroy, holdingsOf } from "./parts.ts";
import { MemoryReader } from "./memory-reader.ts";
import { replyAddressOf, type PausedCalls, type Server, type ServerPeer } from "./server.ts";
import { storageReport } from "./storage-report.ts";
import { firstInput, inputAt, inputsOf, journalPage, keysOf } from "./stored-pages.ts";
import { journalName, storableDeadLetter, storableInput, storableTurn } from "./storable.ts";
import { Wire } from "./wire.ts";

export class MemoryLog implements Log {
  /** The connection's name, unique in its broker. */
  readonly name: string;
  readonly namespace: string;
  readonly partitions: number;
  readonly shards = 1;
  readonly limits: LogLimits;
  readonly keys: KeyStore;
  readonly #server: Server;
  readonly #wire: Wire;
  readonly #presenceListeners = new Listeners<[Presence]>();
  readonly #replyListeners = new Listeners<[string, Uint8Array]>();
  readonly #cellListeners = new Listeners<[string, Position]>();
  readonly #keyListeners = new Listeners<[string]>();
  readonly #cancelListeners = new Listeners<[string]>();
  readonly #waitListeners = new Listeners<[WaitReport]>();
  readonly #statusListeners = new Listeners<[LogStatus]>();
  #accepts = 0;
  #replyAddresses = 0;

  constructor(server: Server, name: string) {
    const { limits, namespace, partitions } = server.settings;
    this.name = server.nextPeerId(name);
    this.namespace = namespace;
    this.partitions = partitions;
    this.limits = limits;
    this.#server = server;
    this.#wire = new Wire(server);
    this.keys = connectKeys(server.keys, this.#wire, (listener) =>
      this.#keyListeners.add(listener),
    );
    this.#join();
  }

  get id(): string {
    return this.#server.storage.end.log;
  }

  nowMs(): number {
    return this.#server.storage.nowMs;
  }

  async accept(draft: InputDraft, options: AcceptOptions = {}): Promise<Accepted> {
    const { fence, signal } = options;
    this.#accepts += 1;
    // With an id in any case, a second attempt after a lost answer stores nothing new.
    const { id = `${this.name}.${this.#accepts}` } = draft.metadata;
    const identified = { ...draft, metadata: { ...draft.metadata, id } };
    const input = storableInput(identified, this.#server.rules);
    const journal = fence && { name: journalName(fence.agent), revision: fence.revision };
    const accept = (): Accepted => this.#server.accept(input, journal);
    return this.#wire.call("accept", accept, { signal, patient: true });
  }

  async commit(turns: readonly TurnCommit[]): Promise<readonly Position[]> {
    const storable = turns.map((turn) => storableTurn(turn, this.#server.rules));
    return this.#wire.call("commit", () => this.#server.commit(storable));
  }

  async bury(deadLetter: DeadLetter): Promise<void> {
    const storable = storableDeadLetter(deadLetter);
    return this.#wire.call("bury", () => this.#server.bury(storable));
  }

  removeDeadLetter(position: Position): Promise<boolean> {
    return this.#wire.call("removeDeadLetter", () =>
      this.#server.storage.removeDeadLetter(position),
    );
  }

  holdings(part: LogPart, upTo: Position): Promise<Holdings> {
    return this.#wire.call("holdings", () => holdingsOf(this.#server, part, upTo));
  }

  destroy(part: LogPart, upTo: Position): Promise<number> {
    return this.#wire.call("destroy", () => destroy(this.#server, part, upTo));
  }

  async truncateJournal(agent: AgentId, before: Position): Promise<number> {
    const name = journalName(agent);
    return this.#wire.call("truncateJournal", () =>
      this.#server.storage.truncateJournal(name, before),
    );
  }

  async truncateJournals(type: string, before: Position): Promise<number> {
    const { storage } = this.#server;
    return this.#wire.call("truncateJournals", () => storage.truncateJournals(type, before));
  }

  async removeInputs(place: InputPlace, before: Position): Promise<number> {
    if (place.key !== undefined) keyToToken(place.key);
    const { storage } = this.#server;
    return this.#wire.call("removeInputs", () => storage.removeInputs(place, before));
  }

  firstInput(
    partition: number,
    after: Position,
    place?: Pick<InputPlace, "kind" | "name">,
  ): Promise<Position | undefined> {
    const find = (): Position | undefined => firstInput(this.#server, partition, after, place);
    return this.#wire.call("firstInput", find);
  }

  keysOf(type: string, partition: number): Promise<readonly string[]> {
    return this.#wire.call("keysOf", () => keysOf(this.#server, type, partition));
  }

  async journal(
    agent: AgentId,
    after: Position,
    options: ReadOptions = {},
  ): Promise<readonly JournalEntry[]> {
    return this.#wire.call("journal", () => journalPage(this.#server, agent, after), options);
  }

  input(position: Position, options: ReadOptions = {}): Promise<Input | undefined> {
    return this.#wire.call("input", () => inputAt(this.#server, position), options);
  }

  at(position: Position): Promise<StoredAt | undefined> {
    return this.#wire.call("at", () => this.#server.storage.at(position));
  }

  end(): Promise<LogEnd> {
    return this.#wire.call("end", () => this.#server.storage.end);
  }

  storage(): Promise<StorageReport> {
    return this.#wire.call("storage", () => storageReport(this.#server));
  }

  read(request: ReadRequest): Reader {
    return new MemoryReader(this.#server, this.#wire, request);
  }

  follow(request: FollowRequest): AsyncIterable<LogEntry> {
    return follow(this.#server, this.#wire, request);
  }

  floors(): Promise<readonly Floor[]> {
    return this.#wire.call("floors", () => [...this.#server.floors.values()]);
  }

  saveFloors(floors: readonly Floor[]): Promise<void> {
    const copies = structuredClone(floors);
    return this.#wire.call("saveFloors", () => {
      for (const floor of copies)
        this.#server.floors.set(`${floor.type}.${floor.partition}`, floor);
    });
  }

  inputsOf(
    agent: AgentId,
    topics: readonly string[],
    after: Position,
    before: Position,
    options: ReadOptions = {},
  ): Promise<readonly Input[]> {
    const find = (): readonly Input[] => inputsOf(this.#server, agent, topics, after, before);
    return this.#wire.call("inputsOf", find, options);
  }

  snapshot(agent: AgentId): Promise<Uint8Array | undefined> {
    return this.#wire.call("snapshot", () => this.#server.snapshots.get(agentName(agent)));
  }

  async saveSnapshot(agent: AgentId, snapshot: Uint8Array): Promise<void> {
    const { payloadBytesMax } = this.limits;
    if (snapshot.length > payloadBytesMax) {
      throw new PayloadTooLargeError(
        `The snapshot of ${agentName(agent)} has ${snapshot.length} bytes, the log takes ${payloadBytesMax}.`,
      );
    }
    const copy = new Uint8Array(snapshot);
    return this.#wire.call("saveSnapshot", () => {
      this.#server.snapshots.set(agentName(agent), copy);
    });
  }

  register(manifest: Manifest): Promise<Manifest> {
    const copy = structuredClone(manifest);
    const { manifests } = this.#server;
    return this.#wire.call("register", () => {
      const grown = grownManifest(manifests.get(copy.type), copy);
      manifests.set(copy.type, grown);
      return grown;
    });
  }

  forget(type: string, names: Partial<ManifestNames>): Promise<Manifest | undefined> {
    const { manifests } = this.#server;
    return this.#wire.call("forget", () => {
      const known = manifests.get(type);
      if (known === undefined) return undefined;
      const shrunk = shrunkManifest(known, names);
      manifests.set(type, shrunk);
      return shrunk;
    });
  }

  manifest(type: string): Promise<Manifest | undefined> {
    return this.#wire.call("manifest", () => this.#server.manifests.get(type));
  }

  manifests(): Promise<readonly Manifest[]> {
    return this.#wire.call("manifests", () => [...this.#server.manifests.values()]);
  }

  cell(name: string, options: ReadOptions = {}): Promise<Cell | undefined> {
    return this.#wire.call("cell", () => this.#server.cells.read(name), options);
  }

  async writeCell(name: string, value: Uint8Array, expectedRevision: Position): Promise<Position> {
    requireCellFits(name, value, this.limits);
    const copy = new Uint8Array(value);
    return this.#wire.call("writeCell", () => this.#server.writeCell(name, copy, expectedRevision));
  }

  onCell(name: string, listener: (revision: Position) => void): () => void {
    return this.#cellListeners.add((changed, revision) => {
      if (changed === name) listener(revision);
    });
  }

  announce(presence: Presence): void {
    const held = Object.entries(presence.holds).map(([type, holds]) => [type, [...holds]]);
    const copy: Presence = { ...presence, holds: Object.fromEntries(held) };
    this.#wire.send(() => this.#server.announce(copy, this.name));
  }

  onPresence(listener: (presence: Presence) => void): () => void {
    return this.#presenceListeners.add(listener);
  }

  probe(worker: string): Promise<boolean> {
    return this.#wire.call("probe", () => this.#server.probe(worker));
  }

  replyAddress(): string {
    this.#replyAddresses += 1;
    return replyAddressOf(this.name, this.#replyAddresses);
  }

  reply(replyTo: string, payload: Uint8Array): void {
    const copy = new Uint8Array(payload);
    this.#wire.send(() => this.#server.reply(replyTo, copy));
  }

  onReply(listener: (replyTo: string, payload: Uint8Array) => void): () => void {
    return this.#replyListeners.add(listener);
  }

  announceWaits(report: WaitReport): void {
    this.#wire.send(() => this.#server.announceWaits(report));
  }

  onWaits(listener: (report: WaitReport) => void): () => void {
    return this.#waitListeners.add(listener);
  }

  cancelAsk(replyTo: string): void {
    this.#wire.send(() => this.#server.cancelAsk(replyTo));
  }

  onAskCancelled(listener: (replyTo: string) => void): () => void {
    return this.#cancelListeners.add(listener);
  }

  onStatus(listener: (status: LogStatus) => void): () => void {
    return this.#statusListeners.add(listener);
  }

  /** A listener that is never called: every entry in memory can be read. */
  onFault(): () => void {
    return () => undefined;
  }

  flush(): Promise<void> {
    return this.#wire.call("flush", () => undefined);
  }

  /** Waits for the answers to the calls made so far, unless the broker is paused. */
  async close(): Promise<void> {
    const first = this.#wire.state === "open";
    await this.#wire.close();
    if (first) this.#statusListeners.tell("closed");
  }

  /** The process dies: nothing more is sent or received, and its pending calls never resolve. */
  crash(): void {
    this.#wire.crash();
  }

  cutOff({ calls = "wait" }: { readonly calls?: PausedCalls } = {}): void {
    this.#wire.cutOff(calls);
  }

  reconnect(): void {
    this.#wire.cutOff(undefined);
  }

  suspend(): void {
    this.#wire.stand(true);
  }

  wake(): void {
    this.#wire.stand(false);
  }

  #join(): void {
    const wire = this.#wire;
    const peer: ServerPeer = {
      onPresence: (presence) => wire.deliver(() => this.#presenceListeners.tell(presence)),
      onWaits: (report) => wire.deliver(() => this.#waitListeners.tell(report)),
      onAskCancelled: (replyTo) => wire.deliver(() => this.#cancelListeners.tell(replyTo)),
      onReply: (replyTo, payload) => {
        wire.deliver(() => this.#replyListeners.tell(replyTo, payload));
      },
      onKey: (name) => wire.deliver(() => this.#keyListeners.tell(name)),
      onCell: (name, revision) => wire.deliver(() => this.#cellListeners.tell(name, revision)),
    };
    this.#server.peers.set(this.name, peer);
    const endPauses = this.#server.pauses.add((paused) => {
      wire.deliver(() => this.#statusListeners.tell(paused ? "disconnected" : "connected"));
      if (!paused) wire.resume();
    });
    wire.onEnd(() => {
      this.#server.peers.delete(this.name);
      endPauses();
    });
  }
}
