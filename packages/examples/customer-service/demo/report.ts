/** The end of the demo: a table for people, or one line of JSON. */
import { categories } from "../category.ts";
import type { JournalCount } from "./journal-count.ts";

export interface DemoResult extends JournalCount {
  readonly killedWorkers: number;
}

export function toJson(result: DemoResult): string {
  const { inquiries, answered, escalated, byCategory, duplicates, lost, killedWorkers } = result;
  const { turnsPerSecond, p50Ms, p95Ms, p99Ms } = result;
  return JSON.stringify({
    inquiries,
    answered,
    escalated,
    byCategory,
    duplicates,
    lost,
    killedWorkers,
    turnsPerSecond,
    p50Ms,
    p95Ms,
    p99Ms,
  });
}

export function toTable(result: DemoResult): string {
  const { inquiries } = result;
  const rows: readonly Row[] = [
    ["inquiries", inquiries, ""],
    ["  answered from the knowledge base", result.answered, share(result.answered, inquiries)],
    ["  escalated to people", result.escalated, share(result.escalated, inquiries)],
    ...categories.map((name): Row => [
      `  ${name}`,
      result.byCategory[name],
      share(result.byCategory[name], inquiries),
    ]),
    ["killed workers", result.killedWorkers, ""],
    ["duplicates", result.duplicates, ""],
    ["lost", result.lost, ""],
    ["turns", result.turns, ""],
    ["turns/s", result.turnsPerSecond, ""],
    ["inquiry to outcome, p50", result.p50Ms, "ms"],
    ["inquiry to outcome, p95", result.p95Ms, "ms"],
    ["inquiry to outcome, p99", result.p99Ms, "ms"],
  ];
  const labelWidth = Math.max(...rows.map(([label]) => label.length));
  const valueWidth = Math.max(...rows.map(([, value]) => String(value).length));
  return rows
    .map(([label, value, unit]) =>
      `  ${label.padEnd(labelWidth)}  ${String(value).padStart(valueWidth)} ${unit}`.trimEnd(),
    )
    .join("\n");
}

/** Label, value, unit. */
type Row = readonly [string, number, string];

function share(count: number, total: number): string {
  return `(${Math.round((100 * count) / Math.max(1, total))} %)`;
}
