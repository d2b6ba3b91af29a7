/**
 * What the running turns of a worker wait for: the asks that they are waiting on.
 *
 * A worker that stops handles nothing new, so an ask for an agent that nobody else hosts is never
 * answered, and its turn would wait until it fails. Such a turn is given back instead (W1, W2 in
 * stopping.ts).
 */
import type { AgentId } from "../log/address.ts";

export class WaitingAsks {
  readonly #asks = new Set<WaitingAsk>();

  /** @param caller name of the agent whose turn asks */
  async during<Reply>(caller: string, callee: AgentId, ask: () => Promise<Reply>): Promise<Reply> {
    const waiting: WaitingAsk = { caller, callee, missed: 0 };
    this.#asks.add(waiting);
    try {
      return await ask();
    } finally {
      this.#asks.delete(waiting);
    }
  }

  /**
   * Callers of asks that nobody can answer, by name, with the number of these asks. An ask counts
   * from the second look on: its reply may just be on its way.
   */
  stuck(canAnswer: (callee: AgentId) => boolean): ReadonlyMap<string, number> {
    const stuck = new Map<string, number>();
    for (const ask of this.#asks) {
      ask.missed = canAnswer(ask.callee) ? 0 : ask.missed + 1;
      if (ask.missed >= 2) stuck.set(ask.caller, (stuck.get(ask.caller) ?? 0) + 1);
    }
    return stuck;
  }
}

interface WaitingAsk {
  readonly caller: string;
  readonly callee: AgentId;
  /** Looks in a row at which nobody could answer it. */
  missed: number;
}
