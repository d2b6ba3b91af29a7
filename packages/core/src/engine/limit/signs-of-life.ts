/**
 * Signs of life of lessees, told without comparing clocks: each shows a number that grows, and an
 * observer measures on its own clock for how long it did not.
 *
 * An observer that could not reach the log knows nothing about the time in between, because then
 * the others could not show anything either: `forgive` starts all of them anew. A pause of the
 * observer itself does no harm: its decision is refused by the cell's revision if anybody showed a
 * sign of life meanwhile.
 */
import type { Clock } from "../../clock/clock.ts";
import type { Lease } from "./limit-record.ts";
import type { Silence } from "./settle.ts";

interface Sign {
  readonly beat: number;
  readonly sinceMs: number;
}

export class SignsOfLife implements Silence {
  readonly #clock: Clock;
  readonly #leaseMs: number;
  #signs = new Map<string, Sign>();

  constructor(clock: Clock, leaseMs: number) {
    this.#clock = clock;
    this.#leaseMs = leaseMs;
  }

  /** Take in the leases that the record shows now. */
  see(leases: Readonly<Record<string, Lease>>): void {
    const sinceMs = this.#clock.monotonicMs();
    const signs = Object.entries(leases).map(([lessee, { beat }]): [string, Sign] => {
      const known = this.#signs.get(lessee);
      return [lessee, known?.beat === beat ? known : { beat, sinceMs }];
    });
    this.#signs = new Map(signs);
  }

  /** Forgive all silence until now, in which no sign could be shown. */
  forgive(): void {
    this.#signs.clear();
  }

  isSilent(lessee: string): boolean {
    return this.#silentMs(lessee) >= this.#leaseMs / 2;
  }

  isDead(lessee: string): boolean {
    return this.#silentMs(lessee) >= this.#leaseMs;
  }

  #silentMs(lessee: string): number {
    const now = this.#clock.monotonicMs();
    return now - (this.#signs.get(lessee)?.sinceMs ?? now);
  }
}
