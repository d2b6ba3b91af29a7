/**
 * Holdings of the workers: they announce themselves, and each takes and releases what the
 * assignment gives it.
 *
 *  OWN-1 Overlap is harmless: the journal's expected revision is the fence (I5). Everything here is
 *     only about not doing work twice and not leaving it undone.
 *  OWN-2 A partition is taken when its last holder released it, died, or did not release it within
 *        `handoverTimeoutMs`.
 *  OWN-3 A worker that is silent for `deadAfterMs` is dead to the others, and at once when nobody
 *        answers for it any more.
 *  OWN-4 The floor is saved before a release is announced, so the successor starts where the holder
 *        stopped.
 *  OWN-5 Partitions are released one by one: a slow turn holds up its own partition only. A worker
 *     that stops goes on announcing until everything is released, so that nobody takes over what
 *     still runs.
 */
import type { Clock } from "../../clock/clock.ts";
import { errorData } from "../../errors/troupe-error.ts";
import type { InspectionFeed } from "../inspection/inspection-feed.ts";
import type { Log } from "../../log/log.ts";
import type { Presence } from "../../log/presence.ts";
import { assignPartitions } from "./assignment.ts";
import { Members } from "./members.ts";
import { Twins } from "./twins.ts";

export interface OwnershipTimings {
  /** Milliseconds between two announcements. Minimum 1. @default 500 */
  readonly heartbeatMs: number;
  /** Silence after which a worker counts as dead, in milliseconds. Minimum 1. @default 2500 */
  readonly deadAfterMs: number;
  /**
   * Time a new worker listens before it takes anything, in milliseconds. Minimum 0. @default 150
   */
  readonly joinDelayMs: number;
  /**
   * Time a successor waits for a living holder to finish, in milliseconds. Minimum 0. @default
   * 30000
   */
  readonly handoverTimeoutMs: number;
}

export const ownershipTimingsDefault: OwnershipTimings = Object.freeze({
  heartbeatMs: 500,
  deadAfterMs: 2500,
  joinDelayMs: 150,
  handoverTimeoutMs: 30_000,
});

/** A thing that one worker holds at a time. */
export interface Holding {
  readonly type: string;
  readonly partition: number;
}

export interface OwnershipHost {
  readonly log: Log;
  readonly clock: Clock;
  readonly feed: InspectionFeed;
  readonly worker: string;
  /** Identity of one start of the worker. */
  readonly session: string;
  /** Hosted types with the number of their partitions. */
  readonly types: ReadonlyMap<string, number>;
  readonly timings: OwnershipTimings;
  take(holdings: readonly Holding[]): Promise<void>;
  /** Resolves when everything taken is committed and the floor is saved. */
  release(holding: Holding): Promise<void>;
}

export class Ownership {
  readonly #host: OwnershipHost;
  readonly #members: Members;
  readonly #twins: Twins;
  readonly #held = new Map<string, Holding>();
  /** Times since when another worker holds a holding of ours. */
  readonly #awaitedSinceMs = new Map<string, number>();
  readonly #releasing = new Map<string, Promise<void>>();
  #draining = false;
  #stopped = false;
  #settled = false;
  #reconciling: Promise<void> | undefined;
  #again = false;
  #restarts = 0;
  readonly #lacks = new Set<string>();
  #cancelBeat: (() => void) | undefined;
  #unlisten: (() => void) | undefined;

  constructor(host: OwnershipHost) {
    this.#host = host;
    const onChange = (joined: boolean): void => {
      if (joined) this.#announce();
      void this.#reconcile();
    };
    this.#twins = new Twins(host);
    this.#members = new Members({
      ...host,
      onChange,
      onTwin: (twin) => {
        if (this.#twins.met(twin, this.#settled)) this.#announce();
      },
    });
  }

  /** Resolves when the first share is taken. @throws WorkerIdTakenError */
  async start(): Promise<void> {
    if (this.#stopped) return;
    const { clock, log, timings } = this.#host;
    const unhear = log.onPresence((presence) => this.#members.heard(presence));
    const unwatch = log.onStatus((status) => {
      if (status === "connected") this.#members.forgiveSilence();
    });
    this.#unlisten = () => {
      unhear();
      unwatch();
    };
    this.#announce();
    await new Promise<void>((resolve) => {
      const cancel = clock.after(timings.joinDelayMs, resolve);
      this.#cancelBeat = () => {
        cancel();
        resolve();
      };
    });
    if (this.#stopped) return;
    this.#twins.requireNone();
    this.#settled = true;
    await this.#reconcile();
    this.#beat();
  }

  /** Take nothing more and release everything. */
  async giveBack(): Promise<void> {
    this.#draining = true;
    this.#announce();
    await this.#reconcile();
    await Promise.all(this.#releasing.values());
  }

  /** Say goodbye. Partitions that are still held are given up. */
  leave(): void {
    this.#stopped = true;
    this.#cancelBeat?.();
    this.#unlisten?.();
    this.#members.stop();
    const { log, session, worker } = this.#host;
    log.announce({ worker, session, leaving: true, holds: {} });
  }

  /** Whether another worker of this id can be heard. */
  isAlive(worker: string): boolean {
    return this.#members.presences.some((presence) => presence.worker === worker);
  }

  /** Whether another worker hosts the type and is not about to stop. */
  isHostedElsewhere(type: string): boolean {
    return this.#othersWith(type).length > 0;
  }

  /** Others know more of this type than we do: let them have it. */
  lack(type: string): void {
    this.#lacks.add(type);
    this.#announce();
    void this.#reconcile();
  }

  /**
   * Forgets all holdings, without releasing them: they stand on nothing. They are taken again, from
   * what the log says now.
   */
  restart(): void {
    this.#restarts += 1;
    this.#held.clear();
    this.#awaitedSinceMs.clear();
    void this.#reconcile();
  }

  get holdings(): readonly Holding[] {
    return [...this.#held.values()];
  }

  #beat(): void {
    if (this.#stopped) return;
    this.#cancelBeat = this.#host.clock.after(this.#host.timings.heartbeatMs, () => {
      this.#announce();
      void this.#reconcile();
      this.#beat();
    });
  }

  #announce(): void {
    const holds: Record<string, number[]> = {};
    for (const type of this.#host.types.keys()) holds[type] = [];
    for (const { type, partition } of this.#held.values()) holds[type]?.push(partition);
    const { session, worker } = this.#host;
    const lacks = [...this.#lacks];
    const joining = !this.#settled;
    const about = { worker, session, leaving: false, draining: this.#draining, joining };
    this.#host.log.announce({ ...about, lacks, holds });
  }

  /**
   * Bring what is held in line with what is assigned; one at a time, again when something changed
   * meanwhile.
   */
  #reconcile(): Promise<void> {
    this.#again = true;
    if (!this.#settled) return Promise.resolve();
    this.#reconciling ??= this.#reconcileNow().finally(() => {
      this.#reconciling = undefined;
      if (this.#again && !this.#stopped) void this.#reconcile();
    });
    return this.#reconciling;
  }

  async #reconcileNow(): Promise<void> {
    try {
      while (this.#again && !this.#stopped) {
        this.#again = false;
        const assigned = this.#assigned();
        this.#releaseSurplus(assigned);
        await this.#takeMissing(assigned);
      }
    } catch (thrown) {
      this.#host.feed.emit({ kind: "fault", what: "ownership", failure: errorData(thrown) });
    }
  }

  #assigned(): Map<string, Holding> {
    const assigned = new Map<string, Holding>();
    if (this.#draining) return assigned;
    for (const [type, partitions] of this.#host.types) {
      const workers = this.#workersFor(type);
      for (const [partition, holder] of assignPartitions(
        workers.toSorted(),
        partitions,
      ).entries()) {
        if (holder === this.#host.worker) assigned.set(`${type}/${partition}`, { type, partition });
      }
    }
    return assigned;
  }

  /** Workers that share a type: those that know all of it, or else all that host it (I15). */
  #workersFor(type: string): readonly string[] {
    const { worker } = this.#host;
    const others = this.#presencesWith(type);
    const knowing = others.filter(({ lacks }) => lacks?.includes(type) !== true);
    const names = (presences: readonly Presence[]): readonly string[] =>
      presences.map((presence) => presence.worker);
    if (!this.#lacks.has(type)) return [worker, ...names(knowing)];
    return knowing.length > 0 ? names(knowing) : [worker, ...names(others)];
  }

  #othersWith(type: string): readonly string[] {
    return this.#presencesWith(type).map(({ worker }) => worker);
  }

  #presencesWith(type: string): readonly Presence[] {
    return this.#members.presences.filter(
      (presence) => presence.draining !== true && holdsOf(presence, type) !== undefined,
    );
  }

  /** A release waits for running turns, so it must not keep other partitions from being taken. */
  #releaseSurplus(assigned: ReadonlyMap<string, Holding>): void {
    for (const [name, holding] of this.#held) {
      if (assigned.has(name) || this.#releasing.has(name)) continue;
      this.#releasing.set(name, this.#release(name, holding));
    }
  }

  async #release(name: string, holding: Holding): Promise<void> {
    try {
      await this.#host.release(holding);
    } catch (thrown) {
      this.#host.feed.emit({ kind: "fault", what: "release", failure: errorData(thrown) });
    }
    this.#releasing.delete(name);
    this.#held.delete(name);
    if (this.#stopped) return;
    this.#announce();
    void this.#reconcile();
  }

  async #takeMissing(assigned: ReadonlyMap<string, Holding>): Promise<void> {
    const now = this.#host.clock.monotonicMs();
    const missing = [...assigned].filter(
      ([name, holding]) => !this.#held.has(name) && !this.#mustWait(name, holding, now),
    );
    if (missing.length === 0) return;
    const restarts = this.#restarts;
    await this.#host.take(missing.map(([, holding]) => holding));
    if (this.#stopped || restarts !== this.#restarts) return;
    for (const [name, holding] of missing) this.#held.set(name, holding);
    this.#announce();
  }

  #mustWait(name: string, { type, partition }: Holding, nowMs: number): boolean {
    const heldElsewhere = this.#members.presences.some((presence) =>
      holdsOf(presence, type)?.includes(partition),
    );
    if (!heldElsewhere) {
      this.#awaitedSinceMs.delete(name);
      return false;
    }
    const sinceMs = this.#awaitedSinceMs.get(name) ?? nowMs;
    this.#awaitedSinceMs.set(name, sinceMs);
    return nowMs - sinceMs < this.#host.timings.handoverTimeoutMs;
  }
}

/**
 * The partitions of a type that a worker says it holds; undefined when it does not host the type.
 */
function holdsOf({ holds }: Presence, type: string): readonly number[] | undefined {
  return Object.hasOwn(holds, type) ? holds[type] : undefined;
}
