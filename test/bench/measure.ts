/**
 * Measuring two contestants fairly: in one run, on one broker, in turns (A B A B …), so that
 * whatever the machine does meanwhile happens to both. The first round warms up and does not count.
 */

export interface BenchRow {
  readonly name: string;
  readonly unit: string;
  /** Median of ours. */
  readonly ours: number;
  /** What it is compared with. */
  readonly versus: string;
  /** Median of theirs. */
  readonly theirs: number;
  /** Above 1 is good for us, whatever the unit: more per second, or less time. */
  readonly ratio: number;
  /** (largest - smallest) / median of the ratios of the rounds. */
  readonly spread: number;
  /** What has to be reached, in words. */
  readonly goal: string;
  readonly reached: boolean;
}

export interface Contest {
  readonly name: string;
  readonly unit: string;
  readonly versus: string;
  readonly better: "more" | "less";
  /** Smallest ratio that reaches the goal. */
  readonly goal: number;
  readonly rounds: number;
  readonly ours: () => Promise<number>;
  readonly theirs: () => Promise<number>;
}

export async function contest(race: Contest): Promise<BenchRow> {
  await race.theirs();
  await race.ours();
  const ours: number[] = [];
  const theirs: number[] = [];
  for (let round = 0; round < race.rounds; round++) {
    theirs.push(await race.theirs());
    ours.push(await race.ours());
  }
  const ratios = ours.map((value, round) => ratioOf(race, value, theirs[round] ?? Number.NaN));
  const { name, unit, versus, goal } = race;
  return {
    name,
    unit,
    ours: rounded(median(ours)),
    versus,
    theirs: rounded(median(theirs)),
    ratio: rounded(median(ratios)),
    spread: rounded((Math.max(...ratios) - Math.min(...ratios)) / median(ratios)),
    goal: `>= ${goal}`,
    reached: median(ratios) >= goal,
  };
}

function ratioOf({ better }: Contest, ours: number, theirs: number): number {
  return better === "more" ? ours / theirs : theirs / ours;
}

function median(values: readonly number[]): number {
  return percentile(values, 0.5);
}

/** Nearest rank. */
export function percentile(values: readonly number[], q: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.max(0, Math.ceil(q * sorted.length) - 1)] ?? Number.NaN;
}

function rounded(value: number): number {
  return Number(value.toPrecision(4));
}
