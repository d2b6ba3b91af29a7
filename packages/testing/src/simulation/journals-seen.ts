/** Up to which position each process has seen each agent's journal: what it must know. */
import type { Position } from "@troupe/core/log";

export class JournalsSeen {
  readonly #seen = new Map<string, Position>();

  /** The process read or wrote the agent's journal; what is stored up to there it knows. */
  note(process: string, agent: string, position: Position): void {
    const name = `${process} ${agent}`;
    this.#seen.set(name, Math.max(position, this.#seen.get(name) ?? 0));
  }

  upTo(process: string, agent: string): Position {
    return this.#seen.get(`${process} ${agent}`) ?? 0;
  }
}
