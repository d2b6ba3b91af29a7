/**
 * A rolling upgrade: workers with newer code, which subscribe to one topic more, replace the others
 * one by one. From the first of them on somebody publishes there, and nothing of that may be passed
 * by workers whose code does not know it.
 */
import type { Publisher } from "./publisher.ts";
import type { WorkerPool } from "./worker-pool.ts";

export interface Upgrade {
  /** Resolves when all workers run the newer code. */
  begin(): Promise<void>;
  /** Resolves when nothing is published any more. */
  end(): Promise<void>;
}

export function upgradeUnderLoad(pool: WorkerPool, publisher: Publisher): Upgrade {
  const ended = new AbortController();
  let publishing: Promise<void> = Promise.resolve();
  return {
    begin: () =>
      pool.upgrade(() => {
        publishing = publisher.run(ended.signal);
      }),
    end: () => {
      ended.abort();
      return publishing;
    },
  };
}
