/**
 * Virtual time: everything that happens in a simulation is an entry here, and happens when its time
 * has come.
 *
 *  - Time stands still while something happens and jumps to the next entry; nobody ever waits for
 *    real.
 *  - Entries of the same moment happen in the order they were made.
 *  - A clock belongs to one simulated process. When the process dies, what its clock still holds
 *    never happens. The time that it says may differ from that of others; it never changes how long
 *    a timer takes.
 */
import type { Clock } from "@troupe/core/log";

interface Entry {
  readonly atMs: number;
  readonly order: number;
  readonly what: string;
  /** Undefined once it is cancelled. */
  action: (() => void) | undefined;
}

/** A process's clock. */
export interface VirtualClock extends Clock {
  /** Timers that are set and neither fired nor cancelled. */
  readonly pending: number;
  /** A timer that does not count as pending: it is no timer of ours, but of a user's handler. */
  sleep(delayMs: number, action: () => void): () => void;
  /** The process is dead: no timer fires any more. */
  stop(): void;
  /** The process stands still: timers whose time comes fire when it goes on, in their order. */
  suspend(): void;
  wake(): void;
  /** Change the time that it tells by so much, as when somebody sets it. Timers are not moved. */
  jump(byMs: number): void;
}

/** Hears every step: its event, and its time. */
export type StepListener = (what: string, atMs: number) => void;

/** Time at which every simulation begins: midnight of the first day of 2026, UTC. */
export const epochMs: number = Date.UTC(2026, 0, 1);

export class Agenda implements Clock {
  readonly #onStep: StepListener;
  /** A binary heap, the next entry first. */
  readonly #heap: Entry[] = [];
  #order = 0;
  readonly #beginsAtMs: number;
  #nowMs: number;
  #steps = 0;

  constructor(onStep: StepListener, beginsAtMs: number = epochMs) {
    this.#onStep = onStep;
    this.#beginsAtMs = beginsAtMs;
    this.#nowMs = beginsAtMs;
  }

  /** Entries that happened so far. */
  get steps(): number {
    return this.#steps;
  }

  /** Milliseconds since the simulation began. */
  get elapsedMs(): number {
    return this.#nowMs - this.#beginsAtMs;
  }

  /** Milliseconds since the epoch, whole as a system clock's. */
  now(): number {
    return Math.floor(this.#nowMs);
  }

  monotonicMs(): number {
    return this.elapsedMs;
  }

  /** Milliseconds until the next entry, cancelled ones included; Infinity when there is none. */
  get nextInMs(): number {
    const next = this.#heap[0];
    return next === undefined ? Number.POSITIVE_INFINITY : next.atMs - this.#nowMs;
  }

  /** Returns the function that cancels it. */
  add(what: string, delayMs: number, action: () => void): () => void {
    const entry: Entry = {
      atMs: this.#nowMs + Math.max(0, delayMs),
      order: this.#order++,
      what,
      action,
    };
    this.#rise(entry);
    return () => {
      entry.action = undefined;
    };
  }

  /** A clock of nobody's, which never stops: the broker's. */
  after(delayMs: number, action: () => void): () => void {
    return this.add("timer of the broker", delayMs, action);
  }

  /** The next entry happens. False when there is none. */
  step(): boolean {
    for (;;) {
      const entry = this.#take();
      if (entry === undefined) return false;
      const { action } = entry;
      if (action === undefined) continue;
      this.#nowMs = entry.atMs;
      this.#steps += 1;
      this.#onStep(entry.what, this.elapsedMs);
      action();
      return true;
    }
  }

  clock(process: string): VirtualClock {
    const what = `timer of ${process}`;
    let pending = 0;
    let stopped = false;
    let aheadMs = 0;
    /** Timers that became due while the process stood still. */
    let late: (() => void)[] | undefined;
    const timer = (delayMs: number, action: () => void, counts: number): (() => void) => {
      let open = true;
      pending += counts;
      const close = (): boolean => {
        const first = open;
        if (first) pending -= counts;
        open = false;
        return first;
      };
      const fire = (): void => {
        if (close() && !stopped) action();
      };
      const cancel = this.add(what, delayMs, () => {
        if (late !== undefined) late.push(fire);
        else fire();
      });
      return () => {
        if (close()) cancel();
      };
    };
    return {
      now: () => this.now() + aheadMs,
      monotonicMs: () => this.elapsedMs,
      after: (delayMs, action) => timer(delayMs, action, 1),
      sleep: (delayMs, action) => timer(delayMs, action, 0),
      suspend: () => {
        late ??= [];
      },
      wake: () => {
        const due = late ?? [];
        late = undefined;
        // One after the other, because what one of them does may cancel the next.
        for (const fire of due) this.add(what, 0, fire);
      },
      jump: (byMs) => {
        aheadMs += byMs;
      },
      get pending() {
        return pending;
      },
      stop: () => {
        stopped = true;
      },
    };
  }

  #rise(entry: Entry): void {
    const heap = this.#heap;
    let index = heap.push(entry) - 1;
    while (index > 0) {
      const parent = (index - 1) >> 1;
      const above = heap[parent];
      if (above === undefined || isBefore(above, entry)) break;
      heap[index] = above;
      index = parent;
    }
    heap[index] = entry;
  }

  #take(): Entry | undefined {
    const heap = this.#heap;
    const first = heap[0];
    const last = heap.pop();
    if (first === undefined || last === undefined || heap.length === 0) return first;
    let index = 0;
    for (;;) {
      const left = 2 * index + 1;
      const right = left + 1;
      const [a, b] = [heap[left], heap[right]];
      const [child, smaller] =
        b !== undefined && a !== undefined && isBefore(b, a) ? [right, b] : [left, a];
      if (smaller === undefined || isBefore(last, smaller)) break;
      heap[index] = smaller;
      index = child;
    }
    heap[index] = last;
    return first;
  }
}

function isBefore(a: Entry, b: Entry): boolean {
  return a.atMs < b.atMs || (a.atMs === b.atMs && a.order < b.order);
}
