/** Waiting for a worker process, looking at it now and then. */
import { setTimeout as sleep } from "node:timers/promises";

import type { Program } from "../e2e/program.ts";
import { accountOf } from "./worker-process-settings.ts";
import type { WorkerAccount } from "./worker-process-settings.ts";

export interface Sample extends WorkerAccount {
  /** Seconds since the first look. */
  readonly atSeconds: number;
}

/** Resolves when so many deposits were handled, with everything that was seen until then. */
export async function untilHandled(
  worker: Program,
  deposits: number,
  everyMs = 100,
): Promise<readonly Sample[]> {
  const startedAt = performance.now();
  const samples: Sample[] = [];
  for (;;) {
    const account = await accountOf(worker);
    samples.push({ ...account, atSeconds: (performance.now() - startedAt) / 1000 });
    if (account.deposits >= deposits) return samples;
    await sleep(everyMs);
  }
}
