/**
 * The simulated world: a broker, a client, and workers that come and go.
 *
 * A worker's place is filled again after its worker died or stopped. The world's own clock holds
 * what is still going to happen to it, such as the end of a pause, so that the world knows when it
 * is at peace.
 */
import type { AgentDefinition, WorkerSettings } from "@troupe/core/engine";
import type { Troupe } from "@troupe/core";
import { manifestOf } from "@troupe/core/engine";
import type { LogEntry, SubscriptionBeginning } from "@troupe/core/log";
import type { MemoryBroker } from "../memory/memory-broker.ts";
import { createMemoryBroker } from "../memory/memory-broker.ts";
import type { Agenda, VirtualClock } from "./agenda.ts";
import type { Chance } from "./chance.ts";
import { chanceOf } from "./chance.ts";
import type { Fault, WorkerPlace } from "./fault.ts";
import type { HandlerPace } from "./handler-watch.ts";
import { handlerPace, handlerWatch } from "./handler-watch.ts";
import { noTroubles } from "./faulty-log.ts";
import { patientLog } from "./patient-log.ts";
import type { ProcessHost } from "./simulated-process.ts";
import { SimulatedProcess } from "./simulated-process.ts";
import type { System } from "./system.ts";
import type { Travel } from "./travel.ts";
import { travel } from "./travel.ts";
import type { Deployment } from "./versions.ts";
import { Versions } from "./versions.ts";
import { drawSettings } from "./world-settings.ts";
import { watchOf, type Watch } from "./watched-log.ts";

const troubleKinds = ["calls", "clock", "cut-off", "stale", "suspend"] as const;

type Trouble = Extract<Fault, { readonly kind: (typeof troubleKinds)[number] }>;

function isTrouble(fault: Fault): fault is Trouble {
  return (troubleKinds as readonly string[]).includes(fault.kind);
}

/** Time after which the supervisor of the processes starts another one, in milliseconds. */
const restartMs = 200;
/** Time that a log is away which loses something, in milliseconds. */
const lossMs = 50;
/** Time that it lets a process stand still, in milliseconds. */
const blockedMs = 10_000;

/**
 * Whether the entry is stored with the record before it: a turn's messages and its dead letter are.
 */
function isStoredWithAnother(entry: LogEntry | undefined): boolean {
  if (entry?.kind === "dead-letter") return true;
  return entry?.kind === "input" && entry.input.metadata.sender?.includes("/") === true;
}

export interface WorldOptions {
  readonly seed: number;
  readonly system: System;
  readonly agenda: Agenda;
  /** Work that a worker's process does besides. */
  readonly beside: (troupe: Troupe) => void;
  /** The log lost something. */
  readonly onLost: () => void;
  /** Called when something worth telling happened. */
  readonly onEvent: (what: string) => void;
}

export class World {
  readonly broker: MemoryBroker;
  readonly client: SimulatedProcess;
  readonly definitions: readonly AgentDefinition[];
  readonly places: number;
  readonly watch: Watch;
  readonly #options: WorldOptions;
  readonly #clock: VirtualClock;
  readonly #settings: WorkerSettings;
  readonly #travel: Travel;
  readonly #pace: HandlerPace;
  readonly #versions: Versions;
  readonly #callChance: Chance;
  readonly #workers = new Map<WorkerPlace, SimulatedProcess>();
  readonly #processes: SimulatedProcess[] = [];
  #workersSoFar = 0;
  #open = true;
  /** Number of faults in force that take the floors away. */
  #floorsLost = 0;
  #pauses = 0;

  constructor(options: WorldOptions) {
    const { agenda, seed, system } = options;
    const chance = chanceOf(seed, "world");
    this.#options = options;
    this.#clock = agenda.clock("the world");
    this.#travel = travel(agenda, chanceOf(seed, "travel"));
    const { broker, worker } = drawSettings(chance, system);
    this.broker = createMemoryBroker({ ...broker, clock: agenda, schedule: this.#travel.schedule });
    this.watch = watchOf(this.broker);
    this.#settings = worker;
    this.#pace = handlerPace(chance);
    this.#callChance = chanceOf(seed, "calls");
    this.places = system.workers ?? 2;
    this.#versions = new Versions(system, this.broker);
    this.definitions = this.#versions.newest;
    this.client = new SimulatedProcess(this.#host(), {
      name: "client",
      baseLog: patientLog,
    });
    this.#processes.push(this.client);
  }

  /** Faults, restarts and their ends that are still to come. */
  get pending(): number {
    return this.#clock.pending;
  }

  /** Processes that are alive. */
  get processes(): readonly SimulatedProcess[] {
    return this.#processes.filter(({ alive }) => alive);
  }

  /** The agent types are known from the start, as after an earlier deployment. */
  async register(): Promise<void> {
    for (const definition of this.#versions.oldest) {
      const topics = Object.keys(definition.subscriptions);
      // Their subscriptions count for everything.
      const since = Object.fromEntries(topics.map((topic) => [topic, { position: 0, atMs: 0 }]));
      await this.client.troupe.log.register({ ...manifestOf(definition, "simulated"), since });
    }
  }

  startWorkers(): void {
    this.#open = true;
    for (let place = 0; place < this.places; place++) this.#startWorker(place);
  }

  /** Beginning of a subscription; undefined while no worker said so. */
  beginningOf(type: string, topic: string): SubscriptionBeginning | undefined {
    return this.#versions.beginningOf(type, topic);
  }

  /** Some workers begin with older code than the others. */
  deployEarlier(): void {
    const chance = chanceOf(this.#options.seed, "versions");
    for (let place = 0; place < this.places; place++) {
      const versions = chance.between(0, this.#versions.earlier);
      if (versions > 0) this.#deploy({ place, versions, forMs: chance.magnitude(100, 8000) });
    }
  }

  async stopWorkers(): Promise<void> {
    this.#open = false;
    const workers = [...this.#workers.values()];
    this.#workers.clear();
    await Promise.all(workers.map((worker) => worker.close()));
  }

  /** Processes are about to stop: none is started any more, also not for one that did not start. */
  end(): void {
    this.#open = false;
  }

  bring(fault: Fault): void {
    if (isTrouble(fault)) return this.#trouble(fault);
    switch (fault.kind) {
      case "crash":
        return this.#crash(fault.place, fault.downMs);
      case "restart":
        return this.#restart(fault.place, fault.downMs);
      case "isolate":
        return this.#isolate(fault.place, fault.forMs);
      case "lose-floors":
        return this.#loseFloors(fault.forMs);
      case "commit":
        return void this.#workers.get(fault.place)?.troubles.mishaps.push(fault);
      case "deploy":
        return this.#deploy(fault);
      case "lose-replies":
        return this.#loseReplies(fault.place, fault.count);
      case "pause":
        return this.#pause(fault.calls, fault.forMs);
      case "lose-tail":
        return this.#loseTail(fault.anew ? Infinity : fault.entries);
      case "slow":
        return this.#travel.slow(fault.delayMs, fault.forMs);
    }
  }

  /** Makes trouble for the process at one place only. */
  #trouble(fault: Trouble): void {
    const worker = this.#workers.get(fault.place);
    if (worker === undefined) return;
    const { clock, troubles } = worker;
    const afterwards = (forMs: number, end: () => void): void => {
      this.#clock.after(forMs, end);
    };
    switch (fault.kind) {
      case "stale": {
        const replica = this.broker.replica();
        troubles.replica = replica;
        return afterwards(fault.forMs, () => {
          if (troubles.replica === replica) troubles.replica = undefined;
        });
      }
      case "calls":
        troubles.failing[fault.which] += fault.count;
        return;
      case "cut-off":
        worker.cutOff(fault.calls);
        return afterwards(fault.forMs, () => worker.reconnect());
      case "suspend":
        worker.suspend();
        return afterwards(fault.forMs, () => worker.wake());
      case "clock":
        return clock.jump(fault.byMs);
    }
  }

  /** Ends all trouble. Faults that were already going to end by themselves still do. */
  heal(): void {
    for (const { troubles } of this.#workers.values()) {
      troubles.mishaps.length = 0;
      Object.assign(troubles.failing, noTroubles().failing);
      troubles.repliesToLose = 0;
    }
  }

  #host(): ProcessHost {
    const { agenda, seed } = this.#options;
    return {
      seed,
      agenda,
      broker: this.broker,
      settings: this.#settings,
      watch: this.watch,
      floorsLost: () => this.#floorsLost > 0,
      later: (delayMs, action) => void this.#clock.after(delayMs, action),
      callChance: this.#callChance,
    };
  }

  #startWorker(place: WorkerPlace): void {
    if (!this.#open || this.#workers.has(place)) return;
    const { onEvent, seed, system } = this.#options;
    this.#workersSoFar += 1;
    const name = `worker-${place}.${this.#workersSoFar}`;
    const chance: Chance = chanceOf(seed, `handlers of ${name}`);
    const worker = new SimulatedProcess(this.#host(), {
      name,
      interceptors: (clock) => [
        handlerWatch({
          process: { process: name, clock },
          chance,
          pace: this.#pace,
          handlersMax: this.#settings.handlersMax,
          isFatal: (call) => this.#end(place, name, system.fatal?.(call)),
          breach: (what) => void this.watch.breaches.push(`${name}: ${what}`),
        }),
      ],
      baseLog: (log) => system.sabotage?.(log, this.broker) ?? log,
    });
    this.#workers.set(place, worker);
    this.#processes.push(worker);
    onEvent(`${name} starts`);
    const definitions = this.#versions.at(place);
    worker.troupe.work(definitions, { ...this.#settings, id: name }).catch(() => {
      // It could not reach the log when it started; the supervisor of the processes starts another
      // one.
      if (this.#open && this.#workers.get(place) === worker) this.#crash(place, restartMs);
    });
    this.#options.beside(worker.troupe);
  }

  /** A message ends the process that handles it. */
  #end(place: WorkerPlace, name: string, how: "kills" | "blocks" | undefined): boolean {
    const worker = this.#workers.get(place);
    if (how === undefined || worker?.name !== name) return false;
    if (how === "kills") this.#crash(place, restartMs);
    else {
      worker.suspend();
      this.#clock.after(blockedMs, () => {
        if (this.#workers.get(place) === worker) this.#crash(place, restartMs);
      });
    }
    return true;
  }

  #crash(place: WorkerPlace, downMs: number): void {
    const worker = this.#workers.get(place);
    if (worker === undefined) return;
    this.#workers.delete(place);
    worker.crash();
    this.#options.onEvent(`${worker.name} crashed`);
    this.#clock.after(downMs, () => this.#startWorker(place));
  }

  #restart(place: WorkerPlace, downMs: number): void {
    const worker = this.#workers.get(place);
    if (worker === undefined) return;
    if (worker.standing) return this.#crash(place, downMs);
    this.#workers.delete(place);
    worker.close().catch(() => worker.crash());
    this.#clock.after(downMs, () => this.#startWorker(place));
  }

  /** The last one of a place that ends makes it new again. */
  #deploy({ forMs, place, versions }: Deployment): void {
    const { onEvent } = this.#options;
    const ends = this.#versions.older(place, versions);
    this.#restart(place, restartMs);
    this.#clock.after(forMs, () => {
      if (!ends()) return;
      onEvent(`the worker at ${place} gets the newest code`);
      this.#restart(place, restartMs);
    });
  }

  #isolate(place: WorkerPlace, forMs: number): void {
    const troubles = this.#workers.get(place)?.troubles;
    if (troubles === undefined) return;
    troubles.isolated = true;
    this.#clock.after(forMs, () => {
      troubles.isolated = false;
    });
  }

  #loseFloors(forMs: number): void {
    this.#floorsLost += 1;
    this.#clock.after(forMs, () => {
      this.#floorsLost -= 1;
    });
  }

  /** Loses no part of what was stored together: that is another fault. */
  #loseTail(count: number): void {
    const entries = this.broker.entries();
    let last = Math.max(0, entries.length - count);
    while (last > 0 && isStoredWithAnother(entries[last])) last -= 1;
    this.watch.lost(last);
    // A log loses something only while it is away.
    this.#pause("fail", lossMs);
    if (count === Infinity) this.broker.makeAnew();
    else this.broker.goBack(last);
    this.#options.onLost();
  }

  #loseReplies(place: WorkerPlace, count: number): void {
    const troubles = this.#workers.get(place)?.troubles;
    if (troubles !== undefined) troubles.repliesToLose += count;
  }

  #pause(calls: "wait" | "fail", forMs: number): void {
    this.#pauses += 1;
    this.broker.pause({ calls });
    this.#clock.after(forMs, () => {
      this.#pauses -= 1;
      if (this.#pauses === 0) this.broker.resume();
    });
  }
}
