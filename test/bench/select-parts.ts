/**
 * Selection of the parts that `--only` means: a benchmark by its name, or rows by the beginning of
 * their names.
 */
import type { Benchmark, BenchmarkPart } from "./benchmark.ts";
import type { BenchRow } from "./measure.ts";

export interface SelectedPart {
  readonly benchmark: Benchmark;
  readonly part: BenchmarkPart;
  /** Tells which of its rows are wanted. */
  readonly wants: (row: Pick<BenchRow, "name">) => boolean;
}

/** Parts that are not opt-in, or those that are named. A name that means nothing is an error. */
export function selectParts(
  benchmarks: readonly Benchmark[],
  names: readonly string[],
): readonly SelectedPart[] {
  if (names.length === 0) {
    return benchmarks.filter(({ isOptIn }) => isOptIn !== true).flatMap(allOf);
  }
  return names.flatMap((name) => {
    const named = benchmarks.filter((benchmark) => benchmark.name === name);
    const selected = named.length > 0 ? named.flatMap(allOf) : byRows(benchmarks, name);
    if (selected.length > 0) return selected;
    const known = benchmarks.map((benchmark) => benchmark.name).join(", ");
    throw new Error(`No benchmark and no row begins with ${name}. Benchmarks: ${known}.`);
  });
}

function allOf(benchmark: Benchmark): readonly SelectedPart[] {
  return benchmark.parts.map((part) => ({ benchmark, part, wants: () => true }));
}

function byRows(benchmarks: readonly Benchmark[], name: string): readonly SelectedPart[] {
  const wants = (row: Pick<BenchRow, "name">): boolean => row.name.startsWith(name);
  return benchmarks.flatMap((benchmark) =>
    benchmark.parts
      .filter(({ rows }) => rows.startsWith(name) || isRowOf(rows, name))
      .map((part) => ({ benchmark, part, wants })),
  );
}

/** The benchmark that a row belongs to: the one whose part names it most exactly. */
export function benchmarkOf(
  benchmarks: readonly Benchmark[],
  row: Pick<BenchRow, "name">,
): Benchmark | undefined {
  let found: { readonly benchmark: Benchmark; readonly length: number } | undefined;
  for (const benchmark of benchmarks) {
    for (const { rows } of benchmark.parts) {
      if (isRowOf(rows, row.name) && rows.length > (found?.length ?? -1)) {
        found = { benchmark, length: rows.length };
      }
    }
  }
  return found?.benchmark;
}

function isRowOf(rows: string, name: string): boolean {
  return name === rows || name.startsWith(`${rows}-`);
}
