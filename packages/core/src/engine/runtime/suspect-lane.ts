/**
 * The order in which a worker runs messages that may end its process (RUN-3).
 *
 * Those that no process died of yet run beside each other. One during whose run a process did die
 * runs alone among them: when it ends this process as well, no innocent neighbour is counted with
 * it. First come, first served, so that nobody starves.
 */
export class SuspectLane {
  readonly #inside = new Set<string>();
  #waiting: Waiting[] = [];
  #isTakenAlone = false;

  /** Enter, unless the agent has to wait; one that is inside is inside. */
  enter(agent: string, alone: boolean): boolean {
    if (this.#inside.has(agent)) return true;
    if (this.#waiting.length > 0 || !this.#hasRoom(alone)) return false;
    this.#take(agent, alone);
    return true;
  }

  /** Calls `inside` when the agent is inside. Returns the function that ends the wait. */
  wait(agent: string, alone: boolean, inside: () => void): () => void {
    const waiting: Waiting = { agent, alone, inside };
    this.#waiting.push(waiting);
    return () => {
      this.#waiting = this.#waiting.filter((each) => each !== waiting);
      this.#admit();
    };
  }

  leave(agent: string): void {
    if (!this.#inside.delete(agent)) return;
    if (this.#inside.size === 0) this.#isTakenAlone = false;
    this.#admit();
  }

  #hasRoom(alone: boolean): boolean {
    return this.#inside.size === 0 || !(alone || this.#isTakenAlone);
  }

  #take(agent: string, alone: boolean): void {
    this.#inside.add(agent);
    this.#isTakenAlone = alone;
  }

  #admit(): void {
    for (;;) {
      const [first] = this.#waiting;
      if (first === undefined || !this.#hasRoom(first.alone)) return;
      this.#waiting.shift();
      this.#take(first.agent, first.alone);
      first.inside();
    }
  }
}

interface Waiting {
  readonly agent: string;
  readonly alone: boolean;
  readonly inside: () => void;
}
