/** Counts what became of the lines, and how quickly. */
import { counted, count } from "../terminal/quantities.ts";

export class Tally {
  published = 0;
  duplicates = 0;
  failed = 0;
  bytesRead = 0;
  readonly #startedAtMs = performance.now();

  get seconds(): number {
    return (performance.now() - this.#startedAtMs) / 1000;
  }

  get perSecond(): number {
    return this.seconds === 0 ? 0 : this.published / this.seconds;
  }

  /** The summary as data. */
  toJSON(): Readonly<Record<string, number>> {
    const { published, duplicates, failed } = this;
    const seconds = Number(this.seconds.toFixed(3));
    return { published, duplicates, failed, seconds, perSecond: Math.round(this.perSecond) };
  }

  /** The summary in one line. */
  toString(): string {
    const { published, duplicates, failed, seconds, perSecond } = this;
    const known = duplicates === 0 ? "" : ` (${count(duplicates)} already there)`;
    const bad = failed === 0 ? "" : `, ${count(failed)} failed`;
    const lines = counted(published, "event");
    return `Published ${lines}${known}${bad} in ${seconds.toFixed(2)} s, ${count(perSecond)}/s.`;
  }
}
