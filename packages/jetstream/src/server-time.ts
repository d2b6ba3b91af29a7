/**
 * The time of day by the server's clock, without asking for it: the server says it now and then,
 * and from there on a clock counts that never goes back. So it is never later than what the server
 * would say, and behind by no more than the answer was under way.
 */
export class ServerTime {
  readonly #monotonicMs: () => number;
  /** Time on the server's clock when ours, which never goes back, showed 0. */
  #zeroMs = -Infinity;

  constructor(saidMs: number, monotonicMs: () => number = () => performance.now()) {
    this.#monotonicMs = monotonicMs;
    this.said(saidMs);
  }

  get nowMs(): number {
    return Math.floor(this.#zeroMs + this.#monotonicMs());
  }

  /** The server's clock has shown this time. */
  said(atMs: number): void {
    const zeroMs = atMs - this.#monotonicMs();
    if (zeroMs > this.#zeroMs) this.#zeroMs = zeroMs;
  }
}
