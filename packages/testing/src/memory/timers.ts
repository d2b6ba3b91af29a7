/**
 * The timers of the memory log: those that are set, and those that are due.
 *
 * One alarm stands for all of them, at the time of the first. Timers that are due together fire in
 * the order of their times, then in the order they were set.
 */
import type { Clock, Position } from "@troupe/core/log";
import { firingId, type TimerTime } from "@troupe/core/log";
import type { StorableInput, StorableTimer } from "./storable.ts";

interface Timer {
  readonly time: TimerTime;
  readonly input: StorableInput;
  /** Position of the turn that set it. */
  readonly revision: Position;
  dueMs: number;
}

export class Timers {
  readonly #clock: Clock;
  readonly #fire: (input: StorableInput) => void;
  /** Timers by journal and id. */
  readonly #timers = new Map<string, Timer>();
  #alarmMs = Infinity;
  #cancelAlarm: (() => void) | undefined;

  constructor(clock: Clock, fire: (input: StorableInput) => void) {
    this.#clock = clock;
    this.#fire = fire;
  }

  /** Set or cancel a timer of the agent with this journal, by the turn at this position. */
  change(journal: string, { id, set }: StorableTimer, revision: Position): void {
    const name = `${journal}.${id}`;
    // Also when it is set again, so that it comes last in the order.
    this.#timers.delete(name);
    if (set !== undefined) {
      const { time } = set;
      const dueMs = "atMs" in time ? time.atMs : this.#clock.now() + time.everyMs;
      this.#timers.set(name, { ...set, revision, dueMs });
    }
    this.#setAlarm();
  }

  count(journal: string, upTo: Position): number {
    return this.#namesOf(journal, upTo).length;
  }

  /** None of this agent's that was set up to a position is left. */
  destroy(journal: string, upTo: Position): number {
    const names = this.#namesOf(journal, upTo);
    for (const name of names) this.#timers.delete(name);
    this.#setAlarm();
    return names.length;
  }

  #namesOf(journal: string, upTo: Position): readonly string[] {
    return [...this.#timers].flatMap(([name, { revision }]) =>
      name.startsWith(`${journal}.`) && revision <= upTo ? [name] : [],
    );
  }

  /**
   * Turns after this position are lost, with the timers they set; timers they cancelled stay
   * cancelled.
   */
  goBack(last: Position): void {
    for (const [name, { revision }] of this.#timers) if (revision > last) this.#timers.delete(name);
    this.#setAlarm();
  }

  #setAlarm(): void {
    let dueMs = Infinity;
    for (const timer of this.#timers.values()) dueMs = Math.min(dueMs, timer.dueMs);
    if (dueMs === this.#alarmMs) return;
    this.#cancelAlarm?.();
    this.#cancelAlarm = undefined;
    this.#alarmMs = dueMs;
    if (dueMs === Infinity) return;
    const delayMs = Math.max(0, dueMs - this.#clock.now());
    this.#cancelAlarm = this.#clock.after(delayMs, () => this.#ring());
  }

  #ring(): void {
    // The alarm may be early: clocks know no delay of many weeks.
    this.#alarmMs = Infinity;
    const nowMs = this.#clock.now();
    const due = [...this.#timers].filter(([, { dueMs }]) => dueMs <= nowMs);
    for (const [name, timer] of due.toSorted(([, a], [, b]) => a.dueMs - b.dueMs)) {
      this.#fire(this.#firing(name, timer, nowMs));
    }
    this.#setAlarm();
  }

  /** Message that the timer sends now; it is gone, or waits for its next time. */
  #firing(name: string, timer: Timer, nowMs: number): StorableInput {
    const { input, time } = timer;
    if ("atMs" in time) {
      this.#timers.delete(name);
      return input;
    }
    // Missed firings are not made up for.
    while (timer.dueMs <= nowMs) timer.dueMs += time.everyMs;
    const { id } = input.metadata;
    if (id === undefined) return input;
    return { ...input, metadata: { ...input.metadata, id: firingId(id, timer.dueMs) } };
  }
}
