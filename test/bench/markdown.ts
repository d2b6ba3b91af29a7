/** The results for RESULTS.md: a table per benchmark, between two marks of the file. */
import type { BenchRow } from "./measure.ts";
import { figure, ratioCell, spreadCell } from "./table.ts";
import type { RowGroup } from "./table.ts";

const marks = { begin: "<!-- results -->", end: "<!-- /results -->" };

/** The file's text with other results. @throws Error when the marks are not there */
export function withResults(text: string, results: string): string {
  const begin = text.indexOf(marks.begin);
  const end = text.indexOf(marks.end);
  if (begin < 0 || end < begin) {
    throw new Error(
      `The file has no place for results: put ${marks.begin} and ${marks.end} in it.`,
    );
  }
  return `${text.slice(0, begin + marks.begin.length)}\n\n${results}\n${text.slice(end)}`;
}

/** `pictures` are the paths of the charts of each benchmark. */
export function markdown(
  groups: readonly RowGroup[],
  pictures: Readonly<Record<string, readonly string[]>>,
): string {
  return groups.map((group) => section(group, pictures[group.name] ?? [])).join("\n");
}

function section({ benchmark, name, rows }: RowGroup, pictures: readonly string[]): string {
  return [
    `### ${name}`,
    "",
    ...(benchmark === undefined ? [] : [benchmark.what, ""]),
    "| row | ours | theirs | unit | ratio | spread | goal | theirs is, or under which conditions |",
    "|---|--:|--:|---|--:|--:|---|---|",
    ...rows.map(tableRow),
    "",
    ...pictures.flatMap((path) => [`![${name}](${path})`, ""]),
  ].join("\n");
}

function tableRow(row: BenchRow): string {
  const { goal, name, ours, reached, theirs, unit, versus } = row;
  const cells = [
    name,
    figure(ours),
    figure(theirs),
    unit,
    ratioCell(row),
    spreadCell(row),
    reached === false ? `**missed** ${goal}`.trimEnd() : goal,
    versus,
  ];
  return `| ${cells.map((cell) => cell.replaceAll("|", "\\|").replaceAll("\n", " ")).join(" | ")} |`;
}
