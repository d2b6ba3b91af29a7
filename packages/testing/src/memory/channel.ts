/**
 * A direction of a connection: tasks run later, one per scheduled slot, in the order they were
 * pushed.
 */
import type { Schedule } from "./schedule.ts";

export class Channel {
  readonly #schedule: Schedule;
  readonly #tasks: (() => void)[] = [];
  #head = 0;
  #cut = false;
  #held = false;
  /** Slots that came while it was held. */
  #missed = 0;

  constructor(schedule: Schedule) {
    this.#schedule = schedule;
  }

  push(task: () => void): void {
    if (this.#cut) return;
    this.#tasks.push(task);
    this.#schedule(() => this.#runNext());
  }

  /** Drop all tasks, those that were pushed before too. */
  cut(): void {
    this.#cut = true;
    this.#tasks.length = 0;
  }

  /** Hold all tasks until `letGo`; those that are pushed meanwhile wait in their order. */
  hold(): void {
    this.#held = true;
  }

  letGo(): void {
    this.#held = false;
    const missed = this.#missed;
    this.#missed = 0;
    for (let slot = 0; slot < missed; slot++) this.#schedule(() => this.#runNext());
  }

  #runNext(): void {
    if (this.#held) {
      this.#missed += 1;
      return;
    }
    const task = this.#cut ? undefined : this.#tasks[this.#head];
    if (task === undefined) return;
    this.#head += 1;
    if (this.#head === this.#tasks.length || this.#head === 1024) this.#forgetDone();
    task();
  }

  #forgetDone(): void {
    this.#tasks.splice(0, this.#head);
    this.#head = 0;
  }
}
