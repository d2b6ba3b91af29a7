/**
 * Several faults that begin at the same moment: what each of them bears alone, they bear together.
 */
import type { FaultPlan } from "./load-phase.ts";
import { between, oneOf, type Random } from "./seeded-random.ts";
import type { WorkerPool } from "./worker-pool.ts";

export class Storms {
  count = 0;
  readonly #pool: WorkerPool;
  readonly #brokerFaults: readonly FaultPlan[];
  #last: Promise<void> = Promise.resolve();

  constructor(pool: WorkerPool, brokerFaults: readonly FaultPlan[]) {
    this.#pool = pool;
    this.#brokerFaults = brokerFaults;
  }

  /** A worker is killed, another one is paused, and something happens to the broker. */
  bring(random: Random): Promise<void> {
    const broker = oneOf(random, this.#brokerFaults);
    this.#last = this.#last.then(async () => {
      this.count += 1;
      await Promise.all([
        this.#pool.pause(random, between(random, 3000, 6000)),
        this.#pool.kill(random),
        broker?.fault(random),
      ]);
    });
    return this.#last;
  }
}
