/**
 * Gaps of a projection at the beginning of a journal, because retention removed it before it was
 * read: for a read model that is rebuilt, or one that was behind for longer than the turns are
 * kept.
 *
 * A base record says which turns come before it. They were read if that was up to a position at
 * which the projection had once read everything, or if they are among the last ones that it read.
 * So a gap is always told; one that is none may be, of a projection that is far behind.
 */
import { agentName } from "../../definition/message/address.ts";
import type { Position } from "../../definition/message/input.ts";
import type { ProjectedRecord } from "./projected-record.ts";

export class Beginnings {
  /** Position up to which all was read while nothing came after it. */
  #knownTo: Position;
  /** The last turns that were read, by agent. */
  readonly #turns = new Map<string, number>();

  constructor(checkpoint: Position) {
    this.#knownTo = checkpoint;
  }

  /**
   * The first turn that is there of an agent whose turns before it were not read; otherwise
   * undefined. @param pending records that are known to come after this one
   */
  read({ agent, base, position, turn }: ProjectedRecord, pending: number): number | undefined {
    const name = agentName(agent);
    const missing = base !== undefined && this.#misses(name, base.turns, base.previous);
    if (pending === 0) this.#knownTo = position;
    const turns = turn ?? base?.turns;
    if (turns === undefined) return undefined;
    // The ones that were read last are kept.
    this.#turns.delete(name);
    this.#turns.set(name, turns);
    if (this.#turns.size > agentsMax) this.#forgetOldest();
    return missing ? turns + 1 : undefined;
  }

  #misses(name: string, turns: number, previous: Position): boolean {
    return previous > this.#knownTo && this.#turns.get(name) !== turns;
  }

  #forgetOldest(): void {
    const [oldest] = this.#turns.keys();
    if (oldest !== undefined) this.#turns.delete(oldest);
  }
}

const agentsMax = 10_000;
