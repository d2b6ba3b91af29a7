/**
 * A process of the simulation: a connection, a clock and a chance of its own, and a Troupe on them.
 */
import type { Troupe, Interceptor } from "@troupe/core";
import { createTroupe } from "@troupe/core";
import type { Log } from "@troupe/core/log";
import type { WorkerSettings } from "@troupe/core/engine";
import type { MemoryBroker, MemoryConnection } from "../memory/memory-broker.ts";
import type { Agenda, VirtualClock } from "./agenda.ts";
import { chanceOf } from "./chance.ts";
import type { FaultyLogHost, Troubles } from "./faulty-log.ts";
import { faultyLog, noTroubles } from "./faulty-log.ts";
import type { Watch } from "./watched-log.ts";
import { watchedLog } from "./watched-log.ts";

export interface ProcessHost extends FaultyLogHost {
  readonly seed: number;
  readonly broker: MemoryBroker;
  readonly agenda: Agenda;
  readonly settings: WorkerSettings;
  readonly watch: Watch;
}

export interface ProcessOptions {
  readonly name: string;
  readonly interceptors?: (clock: VirtualClock) => readonly Interceptor[];
  /** Replaces the log below everything else. */
  readonly baseLog?: (log: Log, clock: VirtualClock) => Log;
}

export class SimulatedProcess {
  readonly name: string;
  readonly troupe: Troupe;
  readonly clock: VirtualClock;
  readonly troubles: Troubles = noTroubles();
  readonly #connection: MemoryConnection;
  #alive = true;
  #isStanding = false;

  constructor(host: ProcessHost, { baseLog, interceptors, name }: ProcessOptions) {
    const { agenda, broker, seed, settings, watch } = host;
    this.name = name;
    this.clock = agenda.clock(name);
    this.#connection = broker.connect(name);
    const base = baseLog?.(this.#connection, this.clock) ?? this.#connection;
    const log = watchedLog(faultyLog(base, this.troubles, host), name, settings, watch);
    this.troupe = createTroupe(log, {
      name,
      onFault: false,
      clock: this.clock,
      random: chanceOf(seed, name).next,
      interceptors: interceptors?.(this.clock) ?? [],
    });
  }

  get alive(): boolean {
    return this.#alive;
  }

  /** True while the process does nothing, not even stop. */
  get standing(): boolean {
    return this.#isStanding;
  }

  /** Cut the process off the log. */
  cutOff(calls: "wait" | "fail"): void {
    this.#connection.cutOff({ calls });
  }

  reconnect(): void {
    this.#connection.reconnect();
  }

  /** Let the process stand still, as after SIGSTOP. */
  suspend(): void {
    this.#isStanding = true;
    this.clock.suspend();
    this.#connection.suspend();
  }

  wake(): void {
    this.#isStanding = false;
    this.clock.wake();
    this.#connection.wake();
  }

  /** End the process, with all of its work, wherever that is. */
  crash(): void {
    this.#alive = false;
    this.clock.stop();
    this.#connection.crash();
  }

  /** Finish what was begun, and leave. */
  async close(): Promise<void> {
    await this.troupe.close();
    this.#alive = false;
  }
}
