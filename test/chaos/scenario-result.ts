/** The findings of a scenario: the line of JSON that a run ends with. */

export interface ScenarioResult {
  readonly scenario: string;
  readonly seed: number;
  readonly minutes: number;
  /** Messages the broker acknowledged to the publisher. */
  readonly accepted: number;
  /** Accepted messages whose turn is in the journal. */
  readonly committed: number;
  /** All turns, also those of messages that agents sent. */
  readonly turns: number;
  readonly lost: number;
  readonly duplicated: number;
  /** Turns out of order, or with another state, event or message than they should have. */
  readonly wrong: number;
  readonly workerKills: number;
  readonly workerPauses: number;
  /** Workers that were replaced by others with newer code. */
  readonly upgrades: number;
  /** Moments at which several faults began together. */
  readonly storms: number;
  /** Workers that ended without being told to. */
  readonly workerCrashes: number;
  /** All kills of broker nodes, leaders and wiped ones included. */
  readonly brokerKills: number;
  readonly leaderKills: number;
  /** Nodes that were paused, and leaders that were deposed. */
  readonly brokerPauses: number;
  readonly nodesWiped: number;
  readonly commands: number;
  /** Requests that reached the payment service. */
  readonly attempts: number;
  readonly charges: number;
  readonly chargedTwice: number;
  /** Charges asked for again although their result was already recorded. */
  readonly ranAgain: number;
  /** Of those, what "Known limits" does not name: by a worker that knew the record. */
  readonly beyondLimits: number;
  /** Longest time under load without a committed turn, outages of the broker included. */
  readonly maxStallMs: number;
  readonly seconds: number;
  /** The first few things that are not as they should be, in words. */
  readonly findings: readonly string[];
}

export interface RunResult extends Omit<ScenarioResult, "scenario"> {
  readonly scenarios: readonly string[];
}

/** Result before anything has happened. */
export const nothingYet: Omit<ScenarioResult, "scenario" | "seed" | "minutes"> = Object.freeze({
  accepted: 0,
  committed: 0,
  turns: 0,
  lost: 0,
  duplicated: 0,
  wrong: 0,
  workerKills: 0,
  workerPauses: 0,
  upgrades: 0,
  storms: 0,
  workerCrashes: 0,
  brokerKills: 0,
  leaderKills: 0,
  brokerPauses: 0,
  nodesWiped: 0,
  commands: 0,
  attempts: 0,
  charges: 0,
  chargedTwice: 0,
  ranAgain: 0,
  beyondLimits: 0,
  maxStallMs: 0,
  seconds: 0,
  findings: [],
});

/** The sum of some scenarios; the longest stall of all. */
export function totalOf(results: readonly ScenarioResult[]): RunResult {
  const seed = results[0]?.seed ?? 0;
  const minutes = results[0]?.minutes ?? 0;
  const sum = (name: keyof typeof nothingYet): number =>
    Number(results.reduce((total, result) => total + Number(result[name]), 0).toFixed(1));
  const names = Object.keys(nothingYet) as (keyof typeof nothingYet)[];
  const sums = Object.fromEntries(names.map((name) => [name, sum(name)]));
  return {
    scenarios: results.map(({ scenario }) => scenario),
    seed,
    minutes,
    ...(sums as unknown as Omit<typeof nothingYet, "findings" | "maxStallMs">),
    maxStallMs: Math.max(0, ...results.map(({ maxStallMs }) => maxStallMs)),
    findings: results.flatMap(({ findings }) => findings),
  };
}

/** Whether a guarantee was broken. */
export function isBroken(result: RunResult | ScenarioResult): boolean {
  const { beyondLimits, chargedTwice, duplicated, lost, wrong } = result;
  return lost + duplicated + wrong + chargedTwice + beyondLimits > 0;
}
