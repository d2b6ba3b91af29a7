/**
 * A worker: a process's share in hosting some agent types.
 *
 * It reads the partitions it holds, routes each input to its agent's mailbox, and commits what the
 * mailboxes finish. It has no state that is not in the log: it may be killed at any moment, and
 * another one goes on.
 */
import type { AgentDefinition } from "../../definition/agent-definition.ts";
import type { Archive } from "../../log/archive/archive-port.ts";
import type { Clock } from "../../clock/clock.ts";
import { hexOf, type Random } from "../../clock/random.ts";
import { within } from "../../clock/within.ts";
import { Committer } from "../commit/committer.ts";
import { StoppedError } from "../../errors/definition-errors.ts";
import { errorData } from "../../errors/troupe-error.ts";
import type { InspectionFeed } from "../inspection/inspection-feed.ts";
import type { AgentId } from "../../definition/message/address.ts";
import type { Input } from "../../definition/message/input.ts";
import { Limiter } from "../limit/limiter.ts";
import type { Manifest } from "../../log/manifest.ts";
import type { Floor, FloorHolder, Log } from "../../log/log.ts";
import type { Delivery, WindowPlace } from "../runtime/delivery.ts";
import type { MailboxHost } from "../mailbox/mailbox-host.ts";
import { Mailbox } from "../mailbox/mailbox.ts";
import { Activations } from "../mailbox/activations.ts";
import type { InterceptorLayers, TurnHost } from "../turn/turn-host.ts";
import { keptAfterCommits } from "../retention/kept.ts";
import { retainingOf, type Retaining } from "../retention/retaining.ts";
import { SnapshotSaver } from "../history/snapshot-saver.ts";
import { agentRuntime, type AgentRuntime } from "../runtime/agent-runtime.ts";
import { Burials } from "./burials.ts";
import { CallCycles } from "./call-cycles.ts";
import { ClockWatch } from "./clock-watch.ts";
import { Cancellations } from "../runtime/cancellations.ts";
import { floorName, fittingFloors } from "../../log/fitting-floors.ts";
import { FloorKeeper } from "../intake/floor-keeper.ts";
import { requireReaderRoom } from "../intake/reader-room.ts";
import { registerType } from "./registration.ts";
import { FreshStart } from "./fresh-start.ts";
import { Knowledge } from "../runtime/knowledge.ts";
import { LogFooting } from "../../log/log-footing.ts";
import { LogIdentity } from "../runtime/log-identity.ts";
import { Lending } from "../intake/lending.ts";
import { mailboxHosts, type SharedHost } from "./mailbox-hosts.ts";
import { UnroutableIntake, unroutableType } from "../intake/unroutable-intake.ts";
import { Ownership, type Holding } from "../ownership/ownership.ts";
import type { IntakeHost, TakenType } from "../intake/partition-intake.ts";
import { PartitionLanes } from "../intake/partition-lanes.ts";
import { sourcesOf } from "../intake/sources.ts";
import { SuspectLane } from "../runtime/suspect-lane.ts";
import { Suspicion } from "../runtime/suspicion.ts";
import { drainTimeoutMsOf, type StopOptions } from "./stop-options.ts";
import { Stopping } from "./stopping.ts";
import { WaitingAsks } from "./waiting-asks.ts";
import { lendingBounds, windowBytes, withFittingWindows } from "../intake/window-size.ts";
import type { WorkerSettings } from "./worker-options.ts";

/** A running worker. */
export interface Worker extends AsyncDisposable {
  readonly id: string;
  readonly types: readonly string[];
  /** Partitions held right now. */
  readonly holdings: readonly Holding[];
  /** Finish what was taken, give back the rest, say goodbye. */
  stop(options?: StopOptions): Promise<void>;
}

export interface WorkerParts {
  readonly id: string;
  readonly version: string;
  readonly log: Log;
  readonly archive: Archive | undefined;
  readonly clock: Clock;
  readonly random: Random;
  readonly feed: InspectionFeed;
  readonly layers: InterceptorLayers;
  readonly audience: TurnHost["audience"];
  readonly settings: WorkerSettings;
  readonly ask: TurnHost["ask"];
  readonly onStopped: () => void;
}

export class RunningWorker implements Worker {
  readonly id: string;
  readonly types: readonly string[];
  readonly #parts: WorkerParts;
  readonly #runtimes: ReadonlyMap<string, AgentRuntime>;
  readonly #activations: Activations;
  readonly #lending: Lending;
  readonly #mailboxHosts: ReadonlyMap<string, MailboxHost>;
  readonly #limiter: Limiter;
  readonly #intakes = new Map<number, PartitionLanes>();
  #unroutable: UnroutableIntake | undefined;
  readonly #ownership: Ownership;
  readonly #floors: FloorKeeper;
  readonly #burials: Burials;
  readonly #cancellations: Cancellations;
  /** Identity of this start: the worker's id may be used again. */
  readonly #session: string;
  /** Partitions whose last holder died, by type. */
  readonly #suspicions = new Map<string, Suspicion>();
  readonly #asks: WaitingAsks;
  readonly #callCycles: CallCycles;
  readonly #waits: Stopping;
  readonly #footing: LogFooting;
  readonly #identity: LogIdentity;
  readonly #clockWatch: ClockWatch;
  readonly #unlisten: () => void;
  readonly #freshStart: FreshStart;
  readonly #knowledge: Knowledge;
  /** Fires when it is to stop. */
  readonly #ending = new AbortController();
  readonly #retaining: Retaining | undefined;
  #stopping: Promise<void> | undefined;
  /** Runs that ended without an outcome because of the stop. */
  #givenBack = 0;

  constructor(parts: WorkerParts, definitions: readonly AgentDefinition[]) {
    const { clock, feed, log } = parts;
    const reach = { partitions: log.partitions, types: definitions.length };
    const settings = withFittingWindows(parts.settings, reach);
    this.#parts = { ...parts, settings };
    this.#footing = new LogFooting(log, () => this.#look());
    this.#identity = new LogIdentity(parts);
    this.#clockWatch = new ClockWatch(parts);
    this.id = parts.id;
    this.#session = hexOf(parts.random, 8);
    this.types = definitions.map((definition) => definition.type);
    this.#runtimes = new Map(definitions.map((each) => [each.type, agentRuntime(each)]));
    this.#lending = new Lending(lendingBounds(settings));
    this.#activations = new Activations(settings.activationsMax, feed);
    this.#cancellations = new Cancellations(log);
    this.#asks = new WaitingAsks(this.id);
    this.#callCycles = new CallCycles({ log, clock, worker: this.id, asks: this.#asks });
    this.#limiter = new Limiter(parts, { worker: this.id, leaseMs: settings.limitLeaseMs });
    const ground = { footing: this.#footing, identity: this.#identity, held: () => this.holdings };
    const hosted = { runtimes: this.#runtimes, activations: this.#activations };
    this.#retaining = retainingOf({ ...this.#parts, ...ground, ...hosted });
    const host: SharedHost = {
      ...parts,
      cancellations: this.#cancellations,
      identity: this.#identity,
      session: this.#session,
      suspects: new SuspectLane(),
      onGivenBack: (agent, delivery, why) => this.#gaveBack(agent, delivery, why),
      ask: this.#asks.watched(parts.ask),
      worker: parts.id,
      limiter: this.#limiter,
      retry: settings.retry,
      kept: keptAfterCommits(new SnapshotSaver(log, feed, settings), this.#retaining),
      footing: this.#footing,
      committer: new Committer({ ...parts, footing: this.#footing }, settings),
      activations: this.#activations,
      limits: settings,
    };
    this.#knowledge = this.#newKnowledge();
    this.#mailboxHosts = mailboxHosts(host, settings, this.#runtimes, this.#knowledge);
    this.#ownership = new Ownership({
      log,
      clock,
      feed,
      worker: this.id,
      session: this.#session,
      types: sourcesOf(this.types, log),
      timings: settings.timings,
      take: (holdings) => this.#take(holdings),
      release: (holding) => this.#release(holding),
    });
    this.#waits = new Stopping({
      clock,
      activations: this.#activations,
      asks: this.#asks,
      isHostedElsewhere: (type) => this.#ownership.isHostedElsewhere(type),
    });
    this.#burials = new Burials(parts);
    this.#floors = this.#newFloorKeeper(settings.floorIntervalMs);
    this.#freshStart = this.#newFreshStart();
    this.#unlisten = log.onStatus((status) => {
      if (status === "connected") this.#look();
      else this.#footing.doubt();
    });
  }

  get holdings(): readonly Holding[] {
    return this.#ownership.holdings.filter(({ type }) => type !== unroutableType);
  }

  /** Register the types and take the first share. */
  async start(): Promise<void> {
    const { feed } = this.#parts;
    await this.#prepare();
    await this.#ownership.start();
    this.#ending.signal.throwIfAborted();
    this.#floors.start();
    this.#knowledge.start();
    this.#retaining?.start();
    feed.emit({ kind: "worker.started", worker: this.id, types: this.types });
  }

  /** Say what is hosted here, and learn which log it is. */
  async #prepare(): Promise<void> {
    await this.#footing.begin();
    await this.#identity.learn();
    await requireReaderRoom(this.#parts.log, this.types);
    this.#clockWatch.look();
    await Promise.all([...this.#runtimes.keys()].map((type) => this.#register(type)));
  }

  async #register(type: string): Promise<Manifest> {
    const runtime = this.#runtimes.get(type);
    if (runtime === undefined) throw new StoppedError(`${this.id} does not host ${type}.`);
    const settleMs = this.#parts.settings.timings.deadAfterMs;
    const host = { ...this.#parts, settleMs, signal: this.#ending.signal };
    const manifest = await registerType(host, runtime.definition);
    this.#knowledge.learn(manifest);
    return manifest;
  }

  #newKnowledge(): Knowledge {
    const { messageBytesMax, timings } = this.#parts.settings;
    return new Knowledge({
      ...this.#parts,
      worker: this.id,
      messageBytesMax,
      intervalMs: timings.heartbeatMs,
      freshMs: timings.deadAfterMs * freshShare,
      register: (type) => this.#register(type),
      onTopics: (type) => {
        for (const intake of this.#intakes.values()) intake.refit(type);
      },
      onAnswer: (type) => {
        for (const intake of this.#intakes.values()) intake.answered(type);
      },
      onForgotten: (type) => void this.#readAgain(type),
      onLack: (type) => this.#ownership.lack(type),
    });
  }

  /** Inputs that waited for names which were taken away are read again, from the floors on. */
  async #readAgain(type: string): Promise<void> {
    for (const intake of this.#intakes.values()) {
      if (!intake.hasWaiting(type)) continue;
      const { partition } = intake;
      const floor = await this.#releasePartition(type, partition);
      const isHeld = this.holdings.some(
        (each) => each.type === type && each.partition === partition,
      );
      const runtime = this.#runtimes.get(type);
      if (floor === undefined || runtime === undefined || !isHeld) continue;
      if (this.#stopping === undefined) intake.take([{ runtime, after: floor.position }]);
    }
  }

  /** Look whether the log is still what it was. */
  #look(): void {
    void this.#floors.save([]);
  }

  #newFloorKeeper(intervalMs: number): FloorKeeper {
    return new FloorKeeper({
      ...this.#parts,
      footing: this.#footing,
      intervalMs,
      current: () => {
        this.#clockWatch.look();
        return this.#currentFloors();
      },
      onChanged: (change) => this.#freshStart.begin(change),
    });
  }

  #newFreshStart(): FreshStart {
    return new FreshStart({
      ...this.#parts,
      fault: (what, thrown) => this.#fault(what, thrown),
      isOver: () => this.#stopping !== undefined,
      drop: () => this.#drop(),
      prepare: () => this.#prepare(),
      take: () => this.#ownership.restart(),
    });
  }

  /** Drops what is in memory, because it is about a log that is gone. */
  #drop(): void {
    this.#activations.abandon("the log is not the one it was");
    for (const intake of this.#intakes.values()) intake.abandon();
    this.#intakes.clear();
    void this.#unroutable?.stop().catch(() => undefined);
    this.#unroutable = undefined;
    this.#floors.forget();
  }

  async stop(options: StopOptions = {}): Promise<void> {
    const drainTimeoutMs = drainTimeoutMsOf(options);
    this.#stopping ??= this.#stop(drainTimeoutMs);
    return this.#stopping;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stop();
  }

  async #stop(drainTimeoutMs: number): Promise<void> {
    const { clock, feed, log } = this.#parts;
    feed.emit({ kind: "worker.stopping", worker: this.id });
    this.#ending.abort(
      new StoppedError(`The worker ${this.id} was stopped before it had started.`),
    );
    let cancel: (() => void) | undefined;
    const tooLong = new Promise<void>((resolve) => {
      cancel = clock.after(drainTimeoutMs, resolve);
    });
    this.#waits.begin();
    this.#retaining?.stop();
    const givingBack = this.#ownership.giveBack();
    await Promise.race([givingBack, tooLong]);
    this.#waits.end();
    this.#floors.stop();
    this.#knowledge.stop();
    this.#freshStart.stop();
    this.#unlisten();
    this.#burials.stop();
    this.#cancellations.stop();
    this.#callCycles.stop();
    this.#activations.abandon("it had no more time");
    // The floors of what was given back, because it was not why a process ended.
    await within(clock, goodbyeMs, givingBack);
    await Promise.race([this.#limiter.stop(), tooLong]);
    this.#ownership.leave();
    // A log that is away must not keep a process from ending: only the goodbye is lost.
    await Promise.race([
      log.flush().catch((thrown: unknown) => this.#fault("flush", thrown)),
      tooLong,
    ]);
    cancel?.();
    feed.emit({ kind: "worker.stopped", worker: this.id, givenBack: this.#givenBack });
    this.#parts.onStopped();
  }

  #gaveBack(agent: AgentId, { input }: Delivery, why: Error): void {
    this.#givenBack += 1;
    const reason = errorData(why);
    const inputPosition = input.position;
    this.#parts.feed.emit({ kind: "turn.given-back", agent, inputPosition, reason });
  }

  #fault(what: string, thrown: unknown): void {
    this.#parts.feed.emit({ kind: "fault", what, failure: errorData(thrown) });
  }

  async #take(holdings: readonly Holding[]): Promise<void> {
    const { generation } = this.#footing;
    const isOver = (): boolean =>
      this.#stopping !== undefined || generation !== this.#footing.generation;
    const floors = await this.#floorsOf(holdings);
    if (isOver()) return;
    await this.#hold(holdings, floors);
    if (isOver()) return;
    const taken = new Map<number, TakenType[]>();
    for (const { type, partition } of holdings) {
      const source = type === unroutableType ? "unroutable" : partition;
      const after = floors.get(floorName({ type, partition: source }))?.position ?? 0;
      const runtime = this.#runtimes.get(type);
      if (runtime === undefined) this.#unroutable = new UnroutableIntake(this.#intakeHost(), after);
      else taken.set(partition, [...(taken.get(partition) ?? []), { runtime, after }]);
      this.#parts.feed.emit({ kind: "partition.taken", type, partition: source, after });
    }
    // Together, so that the partition's reader starts once.
    for (const [partition, types] of taken) this.#intake(partition).take(types);
  }

  /**
   * Say before anything runs that we hold these, so that whoever comes after us knows whether we
   * released them, and find out whether the holders before us did (RUN-1 in
   * engine/mailbox/run-counting.ts).
   */
  async #hold(holdings: readonly Holding[], floors: ReadonlyMap<string, Floor>): Promise<void> {
    const held = holdings.filter(({ type }) => type !== unroutableType);
    const inputsMax = this.#parts.settings.windowMax * 2;
    for (const holding of held) {
      const name = floorName(holding);
      const { holder, suspected } = floors.get(name) ?? {};
      if (suspected === true || this.#died(holder))
        this.#suspicions.set(name, new Suspicion(inputsMax));
      else this.#suspicions.delete(name);
    }
    const holder = { worker: this.id, session: this.#session };
    await this.#floors.save(
      held.map((holding) => {
        const position = floors.get(floorName(holding))?.position ?? 0;
        return { ...holding, position, holder };
      }),
    );
  }

  /** Whether a holder is gone that did not release what it held. */
  #died(holder: FloorHolder | undefined): boolean {
    if (holder === undefined || holder.session === this.#session) return false;
    return holder.worker === this.id || !this.#ownership.isAlive(holder.worker);
  }

  async #floorsOf(holdings: readonly Holding[]): Promise<ReadonlyMap<string, Floor>> {
    const names = holdings.map(({ partition, type }) =>
      floorName({ type, partition: type === unroutableType ? "unroutable" : partition }),
    );
    const { changed, floors, marks } = await fittingFloors(this.#parts.log, new Set(names));
    if (changed !== undefined) this.#fault("floors", changed);
    for (const { position, storedAtMs } of marks) this.#footing.read(position, storedAtMs);
    return floors;
  }

  async #release({ type, partition }: Holding): Promise<void> {
    const { generation } = this.#footing;
    const floor =
      type === unroutableType
        ? await this.#releaseUnroutable()
        : await this.#releasePartition(type, partition);
    if (floor === undefined || generation !== this.#footing.generation) return;
    await this.#floors.save([floor]);
    const { position } = floor;
    const source = floor.partition;
    this.#parts.feed.emit({ kind: "partition.released", type, partition: source, floor: position });
  }

  async #releasePartition(type: string, partition: number): Promise<Floor | undefined> {
    const tracker = this.#intakes.get(partition)?.release(type);
    await this.#activations.drain(
      (mailbox) => mailbox.partition === partition && mailbox.agent.type === type,
    );
    if (tracker === undefined) return undefined;
    const position = tracker.floor;
    const suspected =
      this.#suspicions.get(floorName({ type, partition }))?.lasts(position) === true;
    return { type, partition, position, ...(suspected ? { suspected } : {}) };
  }

  async #releaseUnroutable(): Promise<Floor | undefined> {
    const unroutable = this.#unroutable;
    this.#unroutable = undefined;
    await unroutable?.stop();
    return unroutable?.floor;
  }

  #intake(partition: number): PartitionLanes {
    let intake = this.#intakes.get(partition);
    intake ??= new PartitionLanes(this.#intakeHost(), partition);
    this.#intakes.set(partition, intake);
    return intake;
  }

  #intakeHost(): IntakeHost {
    return {
      log: this.#parts.log,
      windowMax: this.#parts.settings.windowMax,
      lending: this.#lending,
      windowBytes: windowBytes(this.#parts.settings, this.#parts.log.partitions),
      footing: this.#footing,
      knowledge: this.#knowledge,
      lost: (change) => this.#freshStart.begin(change),
      deliver: (runtime, input, at, place) => this.#deliver(runtime, input, at, place),
      bury: (input, done) => this.#burials.bury(input, done),
    };
  }

  #deliver(runtime: AgentRuntime, input: Input, partition: number, place: WindowPlace): void {
    const { key } = input.address;
    const host = this.#mailboxHosts.get(runtime.type);
    if (host === undefined) return;
    const mailbox = this.#activations.obtain(`${runtime.type}/${key}`, () => {
      const suspicion = this.#suspicions.get(floorName({ type: runtime.type, partition }));
      return new Mailbox(host, runtime, { type: runtime.type, key }, { partition, suspicion });
    });
    if (input.metadata.callers !== undefined) this.#callCycles.asked(mailbox.name);
    mailbox.deliver(input, place);
  }

  #currentFloors(): readonly Floor[] {
    const holder = { worker: this.id, session: this.#session };
    const floors = [...this.#intakes.values()].flatMap((intake) =>
      intake.types.map((type) => ({
        type,
        partition: intake.partition,
        position: intake.floorOf(type) ?? 0,
        holder,
      })),
    );
    return this.#unroutable === undefined ? floors : [...floors, this.#unroutable.floor];
  }
}

/** Time that a stop whose time is over may still take to save its floors. */
const goodbyeMs = 500;

/** Age that knowledge may have, as a share of the time after which a silent worker is dead. */
const freshShare = 0.8;
