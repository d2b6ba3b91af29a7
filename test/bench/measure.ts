/**
 * Measuring two contestants fairly: in one run, on one broker, in turns (A B A B …), so that
 * whatever the machine does meanwhile happens to both. The first round warms up and does not count.
 */
import type { Goal } from "./goal.ts";

/** A line of the results. What was not measured, or has no meaning there, is null. */
export interface BenchRow {
  readonly name: string;
  readonly unit: string;
  /** Median of ours. */
  readonly ours: number | null;
  /** Object of the comparison, and under which conditions. */
  readonly versus: string;
  /** Median of theirs; null when there is nothing to compare with. */
  readonly theirs: number | null;
  /** Above 1 is good for us, whatever the unit: more per second, or less time. */
  readonly ratio: number | null;
  /** (largest - smallest) / median of the ratios of the rounds; of ours without a ratio. */
  readonly spread: number | null;
  /** Goal that has to be reached, in words; empty for a row that only tells. */
  readonly goal: string;
  /** Null without a goal. */
  readonly reached: boolean | null;
}

/** A quantity that a round measures. */
export interface Discipline {
  /** Name of its row. */
  readonly name: string;
  readonly unit: string;
  readonly better: "more" | "less";
  readonly goal?: Goal | undefined;
}

/** Several figures of the same rounds, so that each round is run once for all of them. */
export interface Match<Name extends string> {
  readonly versus: string;
  readonly rounds: number;
  readonly disciplines: Readonly<Record<Name, Discipline>>;
  readonly ours: () => Promise<Readonly<Record<NoInfer<Name>, number>>>;
  readonly theirs: () => Promise<Readonly<Record<NoInfer<Name>, number>>>;
}

/** A row per discipline. */
export async function match<Name extends string>(game: Match<Name>): Promise<readonly BenchRow[]> {
  await game.theirs();
  await game.ours();
  const ours: Readonly<Record<Name, number>>[] = [];
  const theirs: Readonly<Record<Name, number>>[] = [];
  for (let round = 0; round < game.rounds; round++) {
    theirs.push(await game.theirs());
    ours.push(await game.ours());
  }
  return (Object.entries(game.disciplines) as [Name, Discipline][]).map(([name, discipline]) =>
    compared(
      discipline,
      game.versus,
      ours.map((figures) => figures[name]),
      theirs.map((figures) => figures[name]),
    ),
  );
}

export interface Contest extends Discipline {
  readonly versus: string;
  readonly rounds: number;
  readonly ours: () => Promise<number>;
  readonly theirs: () => Promise<number>;
}

/** A match in one discipline. */
export async function contest(race: Contest): Promise<readonly BenchRow[]> {
  const only = (run: () => Promise<number>) => async () => ({ only: await run() });
  const { rounds, versus } = race;
  return match({
    versus,
    rounds,
    disciplines: { only: race },
    ours: only(race.ours),
    theirs: only(race.theirs),
  });
}

/** The row of what both did, a figure of each per round. */
export function compared(
  { better, goal, name, unit }: Discipline,
  versus: string,
  ours: readonly number[],
  theirs: readonly number[],
): BenchRow {
  const ratios = ours.map((value, round) => {
    const other = theirs[round] ?? Number.NaN;
    return better === "more" ? value / other : other / value;
  });
  const ratio = median(ratios);
  return {
    name,
    unit,
    ours: rounded(median(ours)),
    versus,
    theirs: rounded(median(theirs)),
    ratio: rounded(ratio),
    spread: ratios.length > 1 ? rounded(spreadOf(ratios)) : null,
    ...judged(goal, { ours: median(ours), ratio }),
  };
}

export interface Measurement {
  readonly name: string;
  readonly unit: string;
  /** A figure, or one per round. */
  readonly ours: number | readonly number[];
  /** Under which conditions. */
  readonly versus: string;
  readonly goal?: Goal | undefined;
}

/** The row of something that is compared with nothing but its goal. */
export function measured({ goal, name, ours, unit, versus }: Measurement): BenchRow {
  const values = typeof ours === "number" ? [ours] : ours;
  const value = median(values);
  return {
    name,
    unit,
    ours: rounded(value),
    versus,
    theirs: null,
    ratio: null,
    spread: values.length > 1 ? rounded(spreadOf(values)) : null,
    ...judged(goal, { ours: value, ratio: Number.NaN }),
  };
}

/** The row of something that could not be measured. */
export function unmeasured(name: string, why: string, reached: false | null): BenchRow {
  const nothing = { unit: "", ours: null, theirs: null, ratio: null, spread: null, goal: "" };
  return { name, ...nothing, versus: why, reached };
}

function judged(
  goal: Goal | undefined,
  figures: { readonly ours: number; readonly ratio: number },
): Pick<BenchRow, "goal" | "reached"> {
  if (goal === undefined) return { goal: "", reached: null };
  return { goal: goal.words, reached: goal.isReached(figures) };
}

export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const upper = sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
  const lower = sorted[Math.floor((sorted.length - 1) / 2)] ?? Number.NaN;
  return (lower + upper) / 2;
}

/** Nearest rank. */
export function percentile(values: readonly number[], q: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.max(0, Math.ceil(q * sorted.length) - 1)] ?? Number.NaN;
}

function spreadOf(values: readonly number[]): number {
  return (Math.max(...values) - Math.min(...values)) / median(values);
}

/** Four digits are more than any of this is worth. */
function rounded(value: number): number | null {
  return Number.isFinite(value) ? Number(value.toPrecision(4)) : null;
}
