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
  const lines = groups.flatMap(({ rows }) => rows.map(cellsOf));
  const widths = head.map((title, column) =>
    Math.max(title.length, ...lines.map((line) => line[column]?.length ?? 0)),
  );
  return groups
    .map(({ benchmark, name, rows }) =>
      [
        ...wrapped(`${name}: ${benchmark?.what ?? ""}`, "", columns),
        aligned(head, widths),
        ...rows.flatMap((row, index) => [
          aligned(cellsOf(row), widths),
          // Once for all rows that it is true of.
          ...(row.versus === rows[index + 1]?.versus ? [] : note(row, columns)),
        ]),
      ].join("\n"),
    )
    .join("\n\n");
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
    row.ratio === null ? "" : row.ratio.toPrecision(3),
    row.spread === null ? "" : `±${percent(row.spread / 2)}`,
    verdict(row),
  ];
}

/** What the goal is and whether it is reached. */
function verdict({ goal, reached }: BenchRow): string {
  if (reached === null) return "";
  return `${reached ? "ok" : "MISSED"} ${goal}`.trimEnd();
}

export function figure(value: number | null): string {
  return value?.toLocaleString("en-US", { maximumSignificantDigits: 4 }) ?? "";
}

function percent(share: number): string {
  return `${Math.round(share * 100)} %`;
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
