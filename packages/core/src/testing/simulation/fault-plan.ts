/** Which faults a seed brings, and when. */
import type { Chance } from "./chance.ts";
import type { CommitMishap, Fault, FaultKind } from "./fault.ts";

/** How often each kind comes, relative to the others; 0 means never. */
export type FaultWeights = Readonly<Record<FaultKind, number>>;

export interface FaultOptions extends Partial<FaultWeights> {
  /** Most faults in one run. 0 means none at all. @default 12 */
  readonly faultsMax?: number;
  /** Faults come before this step, at the latest. @default 1500 */
  readonly lastStep?: number;
}

const defaults: Required<FaultOptions> = Object.freeze({
  crash: 5,
  restart: 2,
  isolate: 2,
  "lose-floors": 1,
  commit: 5,
  "lose-replies": 2,
  pause: 2,
  slow: 2,
  faultsMax: 12,
  lastStep: 1500,
});

const mishaps: readonly [CommitMishap, ...CommitMishap[]] = [
  "lost-ack",
  "unavailable",
  "late",
  "conflict",
];

/** The faults in the order of their steps. */
export function faultPlan(chance: Chance, places: number, options: FaultOptions = {}): Fault[] {
  const { faultsMax, lastStep, ...weights } = { ...defaults, ...options };
  const total = Object.values(weights).reduce((sum, weight) => sum + weight, 0);
  const count = total === 0 ? 0 : chance.between(0, faultsMax);
  // Some runs have all their faults at once, others over a long time.
  const last = chance.magnitude(Math.min(50, lastStep), lastStep);
  return Array.from({ length: count }, () => {
    const kind = weighted(weights, chance.next() * total);
    return faultOf(kind, chance.between(1, last), chance.between(0, places - 1), chance);
  }).toSorted((a, b) => a.atStep - b.atStep);
}

function weighted(weights: FaultWeights, at: number): FaultKind {
  let left = at;
  const entries = Object.entries(weights) as [FaultKind, number][];
  for (const [kind, weight] of entries) {
    left -= weight;
    if (left < 0) return kind;
  }
  return "crash";
}

function faultOf(kind: FaultKind, atStep: number, place: number, chance: Chance): Fault {
  const make: { readonly [Kind in FaultKind]: () => Fault & { readonly kind: Kind } } = {
    crash: () => ({ kind: "crash", atStep, place, downMs: chance.magnitude(1, 5000) }),
    restart: () => ({ kind: "restart", atStep, place, downMs: chance.magnitude(1, 5000) }),
    isolate: () => ({ kind: "isolate", atStep, place, forMs: chance.magnitude(100, 8000) }),
    "lose-floors": () => ({ kind: "lose-floors", atStep, forMs: chance.magnitude(100, 8000) }),
    commit: () => {
      const mishap = chance.pick(mishaps);
      return { kind: "commit", atStep, place, mishap, lateMs: chance.magnitude(1, 500) };
    },
    "lose-replies": () => ({
      kind: "lose-replies",
      atStep,
      place,
      count: chance.magnitude(1, 20),
    }),
    pause: () => {
      const calls = chance.pick(["wait", "fail"]);
      return { kind: "pause", atStep, calls, forMs: chance.magnitude(1, 3000) };
    },
    slow: () => {
      const delayMs = chance.magnitude(5, 500);
      return { kind: "slow", atStep, delayMs, forMs: chance.magnitude(10, 2000) };
    },
  };
  return make[kind]();
}
