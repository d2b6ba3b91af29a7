/** Tokens that are sent and arrive elsewhere: how long each took, so many of them at once. */
import type { ChainOrder, ChainRound } from "../peer.ts";
import { inParallel } from "./in-parallel.ts";

export class TokenRace {
  readonly #waiting = new Map<number, () => void>();

  /** The last agent of the token's chain has it; once more when its handler runs once more. */
  arrived(token: number): void {
    const resolve = this.#waiting.get(token);
    this.#waiting.delete(token);
    resolve?.();
  }

  /** @param send resolves when the token is on its way */
  async run(
    { inFlight, passes }: ChainOrder,
    send: (token: number) => Promise<void>,
  ): Promise<ChainRound> {
    const tookMs: number[] = [];
    const startedAt = performance.now();
    await inParallel(inFlight, passes, async (token) => {
      const sentAt = performance.now();
      const arrived = new Promise<void>((resolve) => this.#waiting.set(token, resolve));
      await send(token);
      await arrived;
      tookMs.push(performance.now() - sentAt);
    });
    return { seconds: (performance.now() - startedAt) / 1000, tookMs };
  }
}
