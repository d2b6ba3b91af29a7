/** Progress of a projection, fitted to one line, or as data. */
import type { RunningProjection } from "@troupe/core";
import { count, duration } from "../terminal/quantities.ts";
import { fit, textWidth } from "../terminal/width.ts";

const barWidthMax = 40;
const barWidthMin = 5;

export class ProjectProgress {
  readonly #running: RunningProjection;
  readonly #lagAtStart: number;
  readonly #startedAtMs = performance.now();

  constructor(running: RunningProjection) {
    this.#running = running;
    this.#lagAtStart = running.lag;
  }

  /** From 0 to 1: how much of the lag at the start is done. */
  get share(): number {
    const { lag } = this.#running;
    return this.#lagAtStart === 0 ? 1 : Math.max(0, 1 - lag / this.#lagAtStart);
  }

  /** A line: a bar while it catches up, then only how far it is behind. */
  text(width: number): string {
    const { applied, lag, name, position, skipped } = this.#running;
    const bad = skipped === 0 ? [] : [`${count(skipped)} skipped`];
    const facts = [`position ${position}`, `lag ${count(lag)}`, `${count(applied)} events`, ...bad];
    if (this.share >= 1) return fit([name, ...facts].join(" · "), width);
    const text = [name, ...facts, `${this.#remaining()} left`].join(" · ");
    const percent = `${String(Math.floor(this.share * 100)).padStart(3)} %`;
    const room = Math.min(barWidthMax, width - textWidth(text) - textWidth(percent) - 4);
    if (room < barWidthMin) return fit(`${percent}  ${text}`, width);
    const full = Math.round(this.share * room);
    return `${"━".repeat(full)}${"─".repeat(room - full)} ${percent}  ${text}`;
  }

  toJSON(): Readonly<Record<string, number | string>> {
    const { applied, lag, name, position, skipped, version } = this.#running;
    const seconds = Number((this.#elapsedMs() / 1000).toFixed(3));
    return { projection: name, version, position, lag, applied, skipped, seconds };
  }

  #remaining(): string {
    if (this.share === 0) return "…";
    return duration((this.#elapsedMs() * (1 - this.share)) / this.share);
  }

  #elapsedMs(): number {
    return performance.now() - this.#startedAtMs;
  }
}
