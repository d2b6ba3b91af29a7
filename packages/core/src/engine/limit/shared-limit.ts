/**
 * A limit in one worker: the steps that wait for it here, and the worker's lease on it.
 *
 *  LEASE-1 A step begins only within a lease that was written less than three quarters of its time
 *     ago, by this worker's clock, so that no other worker can have given it away yet.
 *  LEASE-2 A reservation of the rate is used within its time, or given back (RATE-1).
 *  LEASE-3 While a write is on its way only permits that are there with and without it may be used.
 *  LEASE-4 Without a lease, and with no step that waits, nothing happens at all: no timer, no read,
 *     no write.
 *
 * The lease is changed by a loop that reads the record, lets `settle` decide, and writes if there
 * is something to write. It runs when somebody comes or leaves, when the record changed, and by
 * itself four times per lease.
 */
import type { Clock } from "../../clock/clock.ts";
import type { Random } from "../../clock/random.ts";
import { LogClosedError, RevisionConflictError } from "../../errors/log-errors.ts";
import { errorData } from "../../errors/troupe-error.ts";
import type { InspectionFeed } from "../inspection/inspection-feed.ts";
import type { Position } from "../../definition/message/input.ts";
import type { Log } from "../../log/log.ts";
import type { Limit } from "../../definition/limit.ts";
import { decodeLimitRecord, emptyRecord, encodeLimitRecord, limitCell } from "./limit-record.ts";
import type { LimitRecord } from "./limit-record.ts";
import { nextFreeAtMs, useWithinMs } from "./rate-window.ts";
import { ratesOf, rivalsOf, settle, spentOf } from "./settle.ts";
import type { KnownRecord, Need, Settlement } from "./settle.ts";
import { SignsOfLife } from "./signs-of-life.ts";

export interface LimitHost {
  readonly log: Log;
  readonly clock: Clock;
  readonly random: Random;
  readonly feed: InspectionFeed;
}

/** A step that waits here. */
export interface LimitWaiter {
  /** Cost of the step at this limit. */
  costOf(limit: SharedLimit): number;
  /** Whether it waits for another limit as well, which has too little. */
  isHeldUpBeside(limit: SharedLimit): boolean;
}

interface Known {
  readonly revision: Position;
  readonly record: LimitRecord;
  readonly storedAtMs: number;
  /** Time at which it was read, by this worker's clock. */
  readonly readAtMs: number;
}

export interface SharedLimitOptions {
  readonly lessee: string;
  readonly leaseMs: number;
  /** There may be something to take now. */
  readonly onFree: () => void;
}

export class SharedLimit {
  readonly limit: Limit;
  /** Steps that wait, in their order. */
  readonly queue: LimitWaiter[] = [];
  readonly #host: LimitHost;
  readonly #options: SharedLimitOptions;
  readonly #cell: string;
  readonly #signs: SignsOfLife;
  readonly #unlisten: () => void;
  /** The record as it was read or written last; undefined when it has to be read. */
  #known: Known | undefined;
  /** The last revision that somebody told of. */
  #heard = 0;
  #isLessee = false;
  /** The revision of its own last write. */
  #written: Position = 0;
  /** Number that may be at work here while others wait elsewhere. */
  #fair = Infinity;
  /** Effects that ended while others waited, and those of them that are taken into account. */
  #served = 0;
  #servedSettled = 0;
  #isShort = false;
  #inUse = 0;
  #permits = 0;
  #validUntilMs = -Infinity;
  #reserved = 0;
  #reservedUntilMs = -Infinity;
  #renewAtMs = -Infinity;
  /** Set when a step took a permit since the last renewal. */
  #isUsed = false;
  #again = false;
  #settling: Promise<void> | undefined;
  #cancelTimer: (() => void) | undefined;
  /** Number of times in a row that the log refused or failed. */
  #conflicts = 0;
  #failures = 0;
  #isClosed = false;

  constructor(limit: Limit, host: LimitHost, options: SharedLimitOptions) {
    this.limit = limit;
    this.#host = host;
    this.#options = options;
    this.#cell = limitCell(limit.name);
    this.#signs = new SignsOfLife(host.clock, options.leaseMs);
    const unhear = host.log.onCell(this.#cell, (revision) => this.#hear(revision));
    const unwatch = host.log.onStatus((status) => {
      if (status === "connected") this.#reconnected();
    });
    this.#unlisten = () => {
      unhear();
      unwatch();
    };
  }

  /** True when no step waits, no permit is held, and no write is on its way. */
  get isIdle(): boolean {
    return !this.#isInterested && this.#inUse === 0 && this.#settling === undefined;
  }

  /** The log did not let it have all that is needed here. */
  get isShort(): boolean {
    return this.#isShort;
  }

  canTake(cost: number): boolean {
    const now = this.#host.clock.monotonicMs();
    const isHeld = this.#permits === Infinity || now < this.#validUntilMs;
    if (!isHeld || this.#inUse >= Math.min(this.#permits, this.#fair)) return false;
    if (this.limit.rate === undefined) return true;
    return cost <= this.#reserved && now < this.#reservedUntilMs;
  }

  take(cost: number): void {
    this.#inUse += 1;
    this.#isUsed = true;
    if (this.limit.rate !== undefined) this.#reserved -= cost;
  }

  give(): void {
    this.#inUse -= 1;
    if (this.#fair === Infinity) return;
    // Others wait: the record says whose turn it is now.
    this.#fair = this.#inUse;
    this.#served += 1;
    this.changed();
  }

  /** Looks at what changed: a step came or left, or time went by. */
  changed(): void {
    if (this.#isClosed) return;
    this.#again = true;
    this.#settling ??= this.#settleAll().finally(() => {
      this.#settling = undefined;
      if (this.#again) this.changed();
      else this.#arm();
    });
  }

  /** Give everything back that is not in use, and be done. */
  async stop(): Promise<void> {
    this.close();
    await this.#settling;
    for (let attempt = 0; attempt < stopAttemptsMax && this.#isLessee; attempt++) {
      try {
        await this.#settle();
      } catch {
        // The others take it when the lease is over.
        return;
      }
    }
  }

  /** Ends the loop. */
  close(): void {
    this.#isClosed = true;
    this.#again = false;
    this.#unlisten();
    this.#cancelTimer?.();
  }

  get #isInterested(): boolean {
    return this.queue.length + this.#reserved > 0 || this.#isLessee;
  }

  #hear(revision: Position): void {
    this.#heard = Math.max(this.#heard, revision);
    if (this.#isInterested && revision > (this.#known?.revision ?? 0)) this.changed();
  }

  /**
   * Forgives the silence: while the log was away no worker could show that it is alive, and the
   * time for it begins now.
   */
  #reconnected(): void {
    this.#signs.forgive();
    this.#known = undefined;
    this.#renewAtMs = -Infinity;
    if (this.#isInterested) this.changed();
  }

  async #settleAll(): Promise<void> {
    this.#cancelTimer?.();
    this.#cancelTimer = undefined;
    while (this.#again) {
      this.#again = false;
      try {
        await this.#settle();
      } catch (thrown) {
        this.#failed(thrown);
        return;
      }
    }
  }

  async #settle(): Promise<void> {
    const known = await this.#read();
    this.#failures = 0;
    const { leaseMs, lessee } = this.#options;
    // Also by a write that was stored without an answer: then it says again what it holds. A
    // replica that is behind its own last write says nothing about that.
    if (known.revision >= this.#written) {
      this.#isLessee = known.record.leases[lessee] !== undefined;
    }
    const renew = this.#isLessee && this.#host.clock.monotonicMs() >= this.#renewAtMs;
    const served = this.#served;
    this.#forgetOld();
    const need = this.#need(renew);
    const onLogClock = this.#onLogClock(known);
    const { change, fair } = settle(this.limit, lessee, onLogClock, need, this.#signs);
    const startedAtMs = this.#host.clock.monotonicMs();
    if (change !== undefined && !(await this.#write(known, change, need.unused))) return;
    this.#servedSettled = served;
    if (served === this.#served) this.#fair = fair;
    if (change === undefined) return this.#options.onFree();
    if (renew) this.#isUsed = false;
    this.#validUntilMs = startedAtMs + leaseMs * validShare;
    const jitter = 0.9 + 0.2 * this.#host.random();
    this.#renewAtMs = startedAtMs + (leaseMs / beatsPerLease) * jitter;
    if (change.reserved > 0) {
      const untilMs = startedAtMs + useWithinMs(ratesOf(this.limit, []));
      // The rest of an earlier reservation must not be used later by this one (RATE-1).
      this.#reservedUntilMs =
        this.#reserved > 0 ? Math.min(this.#reservedUntilMs, untilMs) : untilMs;
      this.#reserved += change.reserved;
    }
    this.#options.onFree();
    // Only a read tells the log's time by which it is decided how long to wait.
    if (this.#isShort && this.limit.rate !== undefined) this.#again = true;
  }

  /**
   * Forgets amounts that no window counts any more: given back, they would be taken off what others
   * use.
   */
  #forgetOld(): void {
    const perMs = this.limit.rate?.perMs ?? 0;
    if (this.#host.clock.monotonicMs() >= this.#reservedUntilMs + perMs) this.#reserved = 0;
  }

  #need(renew: boolean): Need {
    const isOver =
      this.#host.clock.monotonicMs() >= this.#reservedUntilMs || this.queue.length === 0;
    let left = isOver ? 0 : this.#reserved;
    const costs: number[] = [];
    let covered = 0;
    for (const place of this.#isClosed ? [] : this.queue) {
      const cost = place.costOf(this);
      costs.push(cost);
      left -= cost;
      if (this.limit.rate !== undefined && left >= 0) covered += 1;
      else left = -1;
      if (place.isHeldUpBeside(this)) break;
    }
    const unused = isOver ? this.#reserved : 0;
    const keep = !this.#isClosed && (!renew || this.#isUsed);
    const served = this.#served > this.#servedSettled;
    return { inUse: this.#inUse, costs, covered, unused, keep, served, renew };
  }

  async #read(): Promise<Known> {
    if (this.#known !== undefined && this.#known.revision >= this.#heard) return this.#known;
    this.#heard = 0;
    const cell = await this.#host.log.cell(this.#cell);
    const readAtMs = this.#host.clock.monotonicMs();
    const record = cell === undefined ? emptyRecord : decodeLimitRecord(cell.value);
    this.#signs.see(record.leases);
    const { revision = 0, storedAtMs = 0 } = cell ?? {};
    this.#known = { revision, record, storedAtMs, readAtMs };
    return this.#known;
  }

  /** Too early rather than too late: the answer was on its way for a while (RATE-3). */
  #onLogClock({ readAtMs, record, storedAtMs }: Known): KnownRecord {
    return { record, storedAtMs, nowMs: storedAtMs + this.#host.clock.monotonicMs() - readAtMs };
  }

  /** True when it is stored; false when somebody else was first. */
  async #write(known: Known, settled: Settlement, unused: number): Promise<boolean> {
    const { record } = settled;
    const permits = this.#permits;
    this.#permits = Math.min(permits, settled.permits);
    this.#reserved -= unused;
    this.#known = undefined;
    let revision: Position;
    try {
      const value = encodeLimitRecord(record);
      revision = await this.#host.log.writeCell(this.#cell, value, known.revision);
      // Without the log's time of this write nothing can be said about the rate (RATE-3).
      if (this.limit.rate === undefined) this.#known = { ...known, record, revision };
    } catch (thrown) {
      if (!(thrown instanceof RevisionConflictError)) throw thrown;
      this.#permits = permits;
      this.#reserved += unused;
      await this.#afterConflict();
      return false;
    }
    this.#conflicts = 0;
    this.#permits = settled.permits;
    this.#written = revision;
    const lease = record.leases[this.#options.lessee];
    this.#isLessee = lease !== undefined;
    this.#isShort = lease !== undefined && lease.waiting + lease.cost > 0;
    return true;
  }

  /**
   * Tries again at once the first time; then others are at it as well, and each waits for a time of
   * its own.
   */
  async #afterConflict(): Promise<void> {
    this.#again = !this.#isClosed;
    this.#conflicts += 1;
    if (this.#conflicts < 2 || this.#isClosed) return;
    const { clock, random } = this.#host;
    const delayMs = random() * Math.min(conflictDelayMs * 2 ** this.#conflicts, conflictDelayMsMax);
    await new Promise<void>((resolve) => clock.after(delayMs, resolve));
  }

  /** A failed call leaves unknown whether a record was stored, and how the others are. */
  #failed(thrown: unknown): void {
    this.#known = undefined;
    this.#renewAtMs = -Infinity;
    this.#signs.forgive();
    this.#failures += 1;
    if (thrown instanceof LogClosedError) return this.close();
    if (this.#failures > 1) return;
    const what = `limit ${this.limit.name}`;
    this.#host.feed.emit({ kind: "fault", what, failure: errorData(thrown) });
  }

  /** Wake up when the lease is to be renewed, or when there may be more (LEASE-4). */
  #arm(): void {
    this.#cancelTimer?.();
    this.#cancelTimer = undefined;
    if (this.#isClosed || !this.#isInterested) return;
    const { clock, random } = this.#host;
    const now = clock.monotonicMs();
    const wakeAtMs =
      this.#failures > 0
        ? now + Math.min(failureDelayMs * 2 ** this.#failures, failureDelayMsMax)
        : Math.min(this.#renewAtMs, this.#reservedEndMs(), this.#moreAtMs(now));
    const delayMs = Math.max(wakeMsMin, wakeAtMs - now) + random() * wakeJitterMs;
    this.#cancelTimer = clock.after(delayMs, () => this.changed());
  }

  #reservedEndMs(): number {
    return this.#reserved > 0 ? this.#reservedUntilMs : Infinity;
  }

  /** Time at which the rate has room again. */
  #moreAtMs(now: number): number {
    if (this.queue.length === 0 || this.#known === undefined) return Infinity;
    const known = this.#onLogClock(this.#known);
    const rates = ratesOf(this.limit, rivalsOf(known.record, this.#options.lessee, this.#signs));
    return now + nextFreeAtMs(spentOf(known, rates), rates, known.nowMs) - known.nowMs;
  }
}

/** A worker shows so often per lease that it is alive. */
const beatsPerLease = 4;
/** The part of its lease in which a worker begins something. */
const validShare = 0.75;
const stopAttemptsMax = 5;
const conflictDelayMs = 2;
const conflictDelayMsMax = 200;
const failureDelayMs = 50;
const failureDelayMsMax = 1000;
const wakeMsMin = 1;
const wakeJitterMs = 10;
