/** Position up to which each process has seen each agent's journal, and so must know it. */
import type { Position } from "@troupe/core/log";

export class JournalsSeen {
  readonly #seen = new Map<string, Position>();

  /**
   * The process read or wrote the agent's journal; it knows the entries that are stored up to
   * there.
   */
  note(process: string, agent: string, position: Position): void {
    const name = `${process} ${agent}`;
    this.#seen.set(name, Math.max(position, this.#seen.get(name) ?? 0));
  }

  upTo(process: string, agent: string): Position {
    return this.#seen.get(`${process} ${agent}`) ?? 0;
  }
}
