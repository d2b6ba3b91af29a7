/**
 * A log of several shards: each call goes to the shard that its key, partition or position names.
 *
 *  SHARD-1 A commit is atomic within a shard, so all its turns are of one (`Log.commit`). A message
 *      that it sends into another shard is stored with it, in an outbox, and taken over by the log
 *      itself: once, in order, as if it had been accepted then.
 *  SHARD-2 An input that is accepted under the fence of an agent in another shard goes through that
 *      shard's outbox, too: only there the fence holds. It counts as accepted when it has arrived,
 *      because only then it has a position.
 *  SHARD-3 An entry in an outbox is accepted. So a firm read of inputs waits until what was there
 *      has arrived (LOG-8).
 *  SHARD-4 A position up to the origin is one that the log had before it was moved into several
 *      shards, and may be in any of them. A bound that lies in another shard says nothing about
 *      this one, except that it is behind the origin.
 *  SHARD-5 Entries about the namespace and not about a key (floors, cells, manifests, snapshots,
 *      presence) are the first shard's, and so are unroutable messages.
 */
import { LogRefusedError } from "../errors/log-errors.ts";
import type { AgentId } from "../definition/message/address.ts";
import { agentName } from "../definition/message/address.ts";
import type { WaitReport } from "./ask-wait.ts";
import type { Cell } from "./cell.ts";
import type { DeadLetter } from "./dead-letter.ts";
import type { Holdings, LogPart } from "./holdings.ts";
import type { KeyStore } from "./key-store.ts";
import { followShards } from "./follow-shards.ts";
import type { Accepted, Input, InputDraft, Position } from "../definition/message/input.ts";
import type * as port from "./log.ts";
import type { LogLimits } from "./log-limits.ts";
import type { Manifest, ManifestNames } from "./manifest.ts";
import type { LogEnd, StoredAt } from "./log-end.ts";
import type { Presence } from "./presence.ts";
import { shardOfKey, shardOfPartition, shardSpan } from "./shard.ts";
import { storageOfShards } from "./storage-of-shards.ts";
import type { StorageReport } from "./storage-report.ts";
import { ShardPositions } from "./shard-positions.ts";

/** Parts of which a log of several shards is made. */
export interface ShardedLogParts {
  /**
   * The shards, at least two, in the order of their numbers, each with positions of its own that
   * begin at 1.
   */
  readonly shards: readonly port.Log[];
  /** Position at which the log ended when it was moved into these shards; 0 when it never was. */
  readonly origin: Position;
  /** Resolves when everything that lies in outboxes now for this shard has arrived (SHARD-3). */
  readonly settle: (shard: number) => Promise<void>;
}

export class ShardedLog implements port.Log {
  readonly namespace: string;
  readonly partitions: number;
  readonly shards: number;
  readonly limits: LogLimits;
  readonly #all: readonly port.Log[];
  readonly #first: port.Log;
  readonly #positions: ShardPositions;
  readonly #settle: ShardedLogParts["settle"];
  /** The last position that is known of each shard, in its own numbers. */
  readonly #lasts: Position[];

  constructor({ origin, settle, shards }: ShardedLogParts) {
    const [first] = shards;
    if (first === undefined) throw new LogRefusedError("A log has at least one shard.");
    this.namespace = first.namespace;
    this.partitions = first.partitions;
    this.limits = first.limits;
    this.shards = shards.length;
    this.#all = shards;
    this.#first = first;
    this.#positions = new ShardPositions(origin, shards.length);
    this.#settle = settle;
    this.#lasts = shards.map(() => 0);
  }

  get keys(): KeyStore {
    return this.#first.keys;
  }

  get id(): string {
    return this.#first.id;
  }

  nowMs(): number {
    return this.#first.nowMs();
  }

  async accept(draft: InputDraft, options: port.AcceptOptions = {}): Promise<Accepted> {
    const shard = shardOfKey(this, draft.address.key);
    const { fence } = options;
    if (fence === undefined)
      return this.#accepted(shard, await this.#at(shard).accept(draft, options));
    const own = shardOfKey(this, fence.agent.key);
    const local = {
      ...options,
      fence: { ...fence, revision: this.#positions.local(fence.revision) },
    };
    if (own === shard) return this.#accepted(shard, await this.#at(shard).accept(draft, local));
    return this.#acceptInto(shard, draft, () => this.#at(own).accept(draft, local));
  }

  #accepted(shard: number, { duplicate, position }: Accepted): Accepted {
    this.#saw(shard, position);
    return { duplicate, position: this.#positions.global(shard, position) };
  }

  /** SHARD-2 */
  async #acceptInto(
    shard: number,
    { address, metadata: { id } }: InputDraft,
    store: () => Promise<Accepted>,
  ): Promise<Accepted> {
    if (id === undefined || address.kind !== "agent") {
      throw new LogRefusedError(
        `What an agent in another shard sends to ${address.name}/${address.key} has no id, or is no message to an agent; nothing was stored.`,
        { details: { shard, name: address.name, key: address.key } },
      );
    }
    const target = this.#at(shard);
    const agent = { type: address.name, key: address.key };
    const last = (this.#lasts[shard] ?? 0) || (await target.end()).last;
    this.#saw(shard, last);
    const { duplicate } = await store();
    await this.#settle(shard);
    // One that was there before may lie anywhere.
    for (let after = duplicate ? 0 : last; ;) {
      const page = await target.inputsOf(agent, [], after, Number.MAX_SAFE_INTEGER, { firm: true });
      const found = page.find(({ metadata }) => metadata.id === id);
      if (found !== undefined)
        return this.#accepted(shard, { duplicate, position: found.position });
      const [end] = page.slice(-1);
      if (end === undefined) break;
      after = end.position;
    }
    throw new LogRefusedError(
      `The message ${id} to ${agentName(agent)} was accepted in another shard, and has not arrived as it was.`,
      { details: { id, agent: agentName(agent), shard } },
    );
  }

  async commit(turns: readonly port.TurnCommit[]): Promise<readonly Position[]> {
    const [only] = turns;
    if (only === undefined) return [];
    const shard = shardOfKey(this, only.agent.key);
    const isElsewhere = ({ agent, deadLetter }: port.TurnCommit): boolean =>
      shardOfKey(this, agent.key) !== shard ||
      (deadLetter?.agent !== undefined && shardOfKey(this, deadLetter.agent.key) !== shard);
    if (turns.some(isElsewhere)) throw mixed(turns);
    const local = turns.map((turn) => this.#localTurn(turn));
    const revisions = await this.#at(shard).commit(local);
    return revisions.map((revision) => this.#positions.global(shard, revision));
  }

  #localTurn(turn: port.TurnCommit): port.TurnCommit {
    const { expectedRevision: expected } = turn;
    if (expected === "chained" || expected < shardSpan) return turn;
    return { ...turn, expectedRevision: this.#positions.local(expected) };
  }

  bury(deadLetter: DeadLetter): Promise<void> {
    const { agent } = deadLetter;
    const shard = agent === undefined ? 0 : shardOfKey(this, agent.key);
    return this.#at(shard).bury(deadLetter);
  }

  async removeDeadLetter(position: Position): Promise<boolean> {
    const removed = await Promise.all(
      this.#positions
        .places(position)
        .map(([shard, local]) => this.#at(shard).removeDeadLetter(local)),
    );
    return removed.some(Boolean);
  }

  holdings(part: LogPart, upTo: Position, options?: port.CallOptions): Promise<Holdings> {
    const shard = this.#shardOfPart(part);
    return this.#at(shard).holdings(part, this.#positions.upTo(shard, upTo), options);
  }

  destroy(part: LogPart, upTo: Position, options?: port.CallOptions): Promise<number> {
    const shard = this.#shardOfPart(part);
    return this.#at(shard).destroy(part, this.#positions.upTo(shard, upTo), options);
  }

  #shardOfPart(part: LogPart): number {
    if (part.kind === "publications") return shardOfKey(this, part.source);
    return part.kind === "snapshot" ? 0 : shardOfKey(this, part.agent.key);
  }

  async truncateJournal(agent: AgentId, before: Position): Promise<number> {
    const shard = shardOfKey(this, agent.key);
    const place = this.#positions.places(before).find(([each]) => each === shard);
    if (place !== undefined) return this.#at(shard).truncateJournal(agent, place[1]);
    throw new LogRefusedError(
      `There is no record of ${agentName(agent)} at ${before}, which is no place in its shard: nothing was removed.`,
      { details: { agent: agentName(agent), position: before, shard } },
    );
  }

  truncateJournals(type: string, before: Position): Promise<number> {
    const all = this.#all.map((_, shard) => shard);
    return this.#removeBefore(all, before, (log, local) => log.truncateJournals(type, local));
  }

  removeInputs(place: port.InputPlace, before: Position): Promise<number> {
    const { key } = place;
    const all = this.#all.map((_, shard) => shard);
    const shards = key === undefined ? all : [shardOfKey(this, key)];
    return this.#removeBefore(shards, before, (log, local) => log.removeInputs(place, local));
  }

  async #removeBefore(
    shards: readonly number[],
    before: Position,
    remove: (log: port.Log, local: Position) => Promise<number>,
  ): Promise<number> {
    const counts = await Promise.all(
      shards.map((shard) => remove(this.#at(shard), this.#positions.surelyBefore(shard, before))),
    );
    return counts.reduce((sum, count) => sum + count, 0);
  }

  async firstInput(
    partition: number,
    after: Position,
    place?: Pick<port.InputPlace, "kind" | "name">,
  ): Promise<Position | undefined> {
    const shard = shardOfPartition(partition, this.shards);
    const from = this.#positions.after(shard, after);
    const first = await this.#at(shard).firstInput(partition, from, place);
    return first && this.#positions.global(shard, first);
  }

  async keysOf(type: string, partition: number): Promise<readonly string[]> {
    return this.#at(shardOfPartition(partition, this.shards)).keysOf(type, partition);
  }

  async storage(): Promise<StorageReport> {
    return storageOfShards(await Promise.all(this.#all.map((shard) => shard.storage())));
  }

  async journal(
    agent: AgentId,
    after: Position,
    options?: port.ReadOptions,
  ): Promise<readonly port.JournalEntry[]> {
    const shard = shardOfKey(this, agent.key);
    const entries = await this.#at(shard).journal(
      agent,
      this.#positions.after(shard, after),
      options,
    );
    return this.#positions.isPlain(shard)
      ? entries
      : entries.map((entry) => this.#positions.entry(shard, entry));
  }

  async inputsOf(
    agent: AgentId,
    topics: readonly string[],
    after: Position,
    before: Position,
    options?: port.ReadOptions,
  ): Promise<readonly Input[]> {
    const shard = shardOfKey(this, agent.key);
    if (options?.firm === true) await this.#settle(shard);
    const from = this.#positions.after(shard, after);
    const to = this.#positions.before(shard, before);
    const inputs = await this.#at(shard).inputsOf(agent, topics, from, to, options);
    return inputs.map((input) => this.#positions.input(shard, input));
  }

  async input(position: Position, options?: port.ReadOptions): Promise<Input | undefined> {
    const found = await Promise.all(
      this.#positions.places(position).map(async ([shard, local]) => {
        const input = await this.#at(shard).input(local, options);
        return input && this.#positions.input(shard, input);
      }),
    );
    return found.find((input) => input !== undefined);
  }

  async at(position: Position): Promise<StoredAt | undefined> {
    const places = this.#positions.places(position);
    const found = await Promise.all(places.map(([shard, local]) => this.#at(shard).at(local)));
    return found.find((stored) => stored !== undefined);
  }

  /** `last` is the last position of the furthest shard that has anything. */
  async end(): Promise<LogEnd> {
    const ends = await Promise.all(this.#all.map((shard) => shard.end()));
    const positions = ends.map(({ last }, shard) => this.#positions.global(shard, last));
    const log = ends.map((end) => end.log).join(", ");
    return { log, last: Math.max(...positions), ends: positions };
  }

  read(request: port.ReadRequest): port.Reader {
    const shard = shardOfPartition(request.source, this.shards);
    if (this.#positions.isPlain(shard)) return this.#at(shard).read(request);
    const { after, onInput, onPassed } = request;
    return this.#at(shard).read({
      ...request,
      after: this.#positions.after(shard, after),
      onInput: (input) => onInput(this.#positions.input(shard, input)),
      onPassed: (position) => onPassed?.(this.#positions.global(shard, position)),
    });
  }

  follow(request: port.FollowRequest): AsyncIterable<port.LogEntry> {
    return followShards(this.#all, this.#positions, request);
  }

  #at(shard: number): port.Log {
    return this.#all[shard] ?? this.#first;
  }

  #saw(shard: number, last: Position): void {
    this.#lasts[shard] = Math.max(last, this.#lasts[shard] ?? 0);
  }

  snapshot(agent: AgentId): Promise<Uint8Array | undefined> {
    return this.#first.snapshot(agent);
  }

  saveSnapshot(agent: AgentId, snapshot: Uint8Array): Promise<void> {
    return this.#first.saveSnapshot(agent, snapshot);
  }

  floors(): Promise<readonly port.Floor[]> {
    return this.#first.floors();
  }

  saveFloors(floors: readonly port.Floor[]): Promise<void> {
    return this.#first.saveFloors(floors);
  }

  register(manifest: Manifest): Promise<Manifest> {
    return this.#first.register(manifest);
  }

  forget(type: string, names: Partial<ManifestNames>): Promise<Manifest | undefined> {
    return this.#first.forget(type, names);
  }

  manifest(type: string, options?: port.ReadOptions): Promise<Manifest | undefined> {
    return this.#first.manifest(type, options);
  }

  manifests(options?: port.ReadOptions): Promise<readonly Manifest[]> {
    return this.#first.manifests(options);
  }

  cell(name: string, options?: port.ReadOptions): Promise<Cell | undefined> {
    return this.#first.cell(name, options);
  }

  writeCell(name: string, value: Uint8Array, expectedRevision: Position): Promise<Position> {
    return this.#first.writeCell(name, value, expectedRevision);
  }

  onCell(name: string, listener: (revision: Position) => void): () => void {
    return this.#first.onCell(name, listener);
  }

  announce(presence: Presence): void {
    this.#first.announce(presence);
  }

  onPresence(listener: (presence: Presence) => void): () => void {
    return this.#first.onPresence(listener);
  }

  probe(worker: string): Promise<boolean> {
    return this.#first.probe(worker);
  }

  replyAddress(): string {
    return this.#first.replyAddress();
  }

  reply(replyTo: string, payload: Uint8Array): void {
    this.#first.reply(replyTo, payload);
  }

  onReply(listener: (replyTo: string, payload: Uint8Array) => void): () => void {
    return this.#first.onReply(listener);
  }

  announceWaits(report: WaitReport): void {
    this.#first.announceWaits(report);
  }

  onWaits(listener: (report: WaitReport) => void): () => void {
    return this.#first.onWaits(listener);
  }

  cancelAsk(replyTo: string): void {
    this.#first.cancelAsk(replyTo);
  }

  onAskCancelled(listener: (replyTo: string) => void): () => void {
    return this.#first.onAskCancelled(listener);
  }

  onStatus(listener: (status: port.LogStatus) => void): () => void {
    return this.#first.onStatus(listener);
  }

  onFault(listener: (what: string, thrown: unknown) => void): () => void {
    const ends = this.#all.map((shard) => shard.onFault(listener));
    return () => {
      for (const end of ends) end();
    };
  }

  async flush(): Promise<void> {
    await Promise.all(this.#all.map((shard) => shard.flush()));
  }

  async close(): Promise<void> {
    // The first one last: it has what the others share.
    await Promise.all(this.#all.slice(1).map((shard) => shard.close()));
    await this.#first.close();
  }
}

function mixed(turns: readonly port.TurnCommit[]): LogRefusedError {
  const agents = turns.map(({ agent }) => agentName(agent));
  return new LogRefusedError(
    `The turns of ${agents.slice(0, 5).join(", ")} are not all in one shard, so they cannot be stored in one commit; nothing was stored.`,
    { details: { agents: agents.slice(0, 5) } },
  );
}
