/** Faults that a seed brings, and their steps. */
import { delay } from "@troupe/core/engine";
import { requireOptions, type OptionRules } from "@troupe/core/log";
import type { Chance } from "./chance.ts";
import type { CommitMishap, Fault, FaultKind } from "./fault.ts";

/** Frequency of each kind, relative to the others; 0 means never. */
export type FaultWeights = Readonly<Record<FaultKind, number>>;

export interface FaultOptions extends Partial<FaultWeights> {
  /** Kinds that may come, each as often as the others. @default every kind, by its weight */
  readonly only?: readonly FaultKind[];
  /** Most faults in one run. 0 means none at all. @default 12 */
  readonly faultsMax?: number;
  /** Faults come before this step, at the latest. @default 1500 */
  readonly lastStep?: number;
}

const defaults: Required<Omit<FaultOptions, "only">> = Object.freeze({
  crash: 5,
  restart: 2,
  isolate: 2,
  "lose-floors": 1,
  commit: 5,
  "lose-replies": 2,
  pause: 2,
  slow: 2,
  stale: 2,
  calls: 2,
  "cut-off": 2,
  suspend: 2,
  clock: 1,
  // A system cannot make up for a loss: this is for those that expect it.
  "lose-tail": 0,
  // For systems with earlier versions.
  deploy: 0,
  faultsMax: 12,
  lastStep: 1500,
});

/** @throws DefinitionError */
export function requireFaultOptions(options: FaultOptions): void {
  const weights = Object.keys(defaults).map((name) => [name, delay]);
  const rules = Object.fromEntries([...weights, ["only", "other"]]) as OptionRules<FaultOptions>;
  requireOptions("Simulation option faults.", options, rules);
  for (const kind of options.only ?? []) {
    requireOptions("Simulation option faults.only: ", { [kind]: 1 }, rules);
  }
}

const mishaps: readonly [CommitMishap, ...CommitMishap[]] = [
  "lost-ack",
  "unavailable",
  "late",
  "conflict",
];

/** The faults in the order of their steps. */
export function faultPlan(chance: Chance, places: number, options: FaultOptions = {}): Fault[] {
  const { only, ...chosen } = options;
  const { faultsMax, lastStep, ...usual } = { ...defaults, ...chosen };
  const weights = only === undefined ? usual : weightsOf(usual, only);
  const total = Object.values(weights).reduce((sum, weight) => sum + weight, 0);
  const count = total === 0 ? 0 : chance.between(0, faultsMax);
  // Some runs have all their faults at once, others over a long time.
  const last = chance.magnitude(Math.min(50, lastStep), lastStep);
  return Array.from({ length: count }, () => {
    const kind = weighted(weights, chance.next() * total);
    return faultOf(kind, chance.between(1, last), chance.between(0, places - 1), chance);
  }).toSorted((a, b) => a.atStep - b.atStep);
}

function weightsOf(usual: FaultWeights, only: readonly FaultKind[]): FaultWeights {
  const kinds = Object.keys(usual) as FaultKind[];
  return Object.fromEntries(
    kinds.map((kind) => [kind, Number(only.includes(kind))]),
  ) as FaultWeights;
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
    stale: () => ({ kind: "stale", atStep, place, forMs: chance.magnitude(10, 5000) }),
    calls: () => {
      const which = chance.pick(["reads", "saves"]);
      return { kind: "calls", atStep, place, which, count: chance.magnitude(1, 10) };
    },
    "cut-off": () => {
      const calls = chance.pick(["wait", "fail"]);
      return { kind: "cut-off", atStep, place, calls, forMs: chance.magnitude(10, 8000) };
    },
    suspend: () => ({ kind: "suspend", atStep, place, forMs: chance.magnitude(10, 8000) }),
    "lose-tail": () => {
      const entries = chance.magnitude(1, 100);
      return { kind: "lose-tail", atStep, entries, anew: chance.happens(0.1) };
    },
    deploy: () => {
      const versions = chance.between(1, 3);
      return { kind: "deploy", atStep, place, versions, forMs: chance.magnitude(100, 8000) };
    },
    clock: () => {
      const byMs = chance.magnitude(1, 120_000) * chance.pick([-1, 1]);
      return { kind: "clock", atStep, place, byMs };
    },
    slow: () => {
      const delayMs = chance.magnitude(5, 500);
      return { kind: "slow", atStep, delayMs, forMs: chance.magnitude(10, 2000) };
    },
  };
  return make[kind]();
}
