/** The results as text, for 80 columns and more. */
import type { Benchmark } from "./benchmark.ts";
import type { BenchRow } from "./measure.ts";
import { benchmarkOf } from "./select-parts.ts";

export interface RowGroup {
  readonly name: string;
  readonly benchmark: Benchmark | undefined;
  readonly rows: readonly BenchRow[];
}

/** The rows of each benchmark, in the order of the first ones. */
export function groupedRows(
  benchmarks: readonly Benchmark[],
  rows: readonly BenchRow[],
): readonly RowGroup[] {
  const groups = Map.groupBy(rows, (row) => benchmarkOf(benchmarks, row));
  return [...groups].map(([benchmark, own]) => ({
    name: benchmark?.name ?? "others",
    benchmark,
    rows: own,
  }));
}

export function table(groups: readonly RowGroup[], columns: number): string {
  return groups.map((group) => section(group, columns).join("\n")).join("\n\n");
}

function section({ benchmark, name, rows }: RowGroup, columns: number): string[] {
  const lines = rows.map(cellsOf);
  const widths = head.map((title, column) =>
    Math.max(title.length, ...lines.map((line) => line[column]?.length ?? 0)),
  );
  return [
    ...wrapped(`${name}: ${benchmark?.what ?? ""}`, "", columns),
    aligned(head, widths),
    ...rows.flatMap((row, index) => [
      aligned(cellsOf(row), widths),
      // Once for all rows that it is true of.
      ...(isSaidBelow(row, rows[index + 1]) ? [] : note(row, columns)),
    ]),
  ];
}

function isSaidBelow(row: BenchRow, next: BenchRow | undefined): boolean {
  return row.versus === next?.versus && (row.theirs === null) === (next.theirs === null);
}

const head: readonly string[] = ["row", "ours", "theirs", "unit", "ratio", "spread", "goal"];
/** Names, units and goals are words; the others are figures and end in line. */
const wordColumns: ReadonlySet<number> = new Set([0, 3, 6]);

function cellsOf(row: BenchRow): readonly string[] {
  return [
    row.name,
    figure(row.ours),
    figure(row.theirs),
    row.unit,
    ratioCell(row),
    spreadCell(row),
    judgement(row),
  ];
}

/** States the goal and whether it is reached. */
function judgement({ goal, reached }: BenchRow): string {
  if (reached === null) return "";
  return `${reached ? "ok" : "MISSED"} ${goal}`.trimEnd();
}

export function figure(value: number | null): string {
  if (value === null) return "";
  if (Math.abs(value) >= 1e7) return `${figure(value / 1e6)}M`;
  return value.toLocaleString("en-US", { maximumSignificantDigits: 4 });
}

export function ratioCell({ ratio }: BenchRow): string {
  if (ratio === null) return "";
  if (ratio < 0.001) return "<0.001";
  return ratio < 1000 ? ratio.toPrecision(3) : figure(ratio);
}

/** Half of the spread, as people write it. */
export function spreadCell({ spread }: BenchRow): string {
  return spread === null ? "" : `±${Math.round(spread * 50)} %`;
}

function note({ theirs, versus }: BenchRow, columns: number): string[] {
  return wrapped(theirs === null ? versus : `theirs: ${versus}`, "    ", columns);
}

function aligned(cells: readonly string[], widths: readonly number[]): string {
  return cells
    .map((cell, column) => {
      const width = widths[column] ?? 0;
      return wordColumns.has(column) ? cell.padEnd(width) : cell.padStart(width);
    })
    .join(" ")
    .trimEnd();
}

function wrapped(words: string, indent: string, columns: number): string[] {
  const lines: string[] = [];
  let line = "";
  for (const word of words.split(" ")) {
    if (line !== "" && indent.length + line.length + 1 + word.length > columns) {
      lines.push(indent + line);
      line = "";
    }
    line = line === "" ? word : `${line} ${word}`;
  }
  return [...lines, indent + line];
}
