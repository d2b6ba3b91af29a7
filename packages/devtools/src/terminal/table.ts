/**
 * Rows below each other in columns that fit the terminal: every column is as wide as its longest
 * cell up to a limit, and the last one gets what is left.
 */
import { printable } from "@troupe/core/operate";
import type { Terminal } from "./terminal.ts";
import { cell, fit, padStart, textWidth } from "./width.ts";

export interface Column {
  readonly title: string;
  /** @default "left" */
  readonly align?: "left" | "right";
  /**
   * Columns of the terminal it takes at most; without effect where nothing says how wide that is.
   */
  readonly widthMax?: number;
}

/** Below so many columns there is no room to be generous. */
export const narrowBelow = 100;

/** A line of titles, then a line per row. */
export function tableLines(
  columns: readonly Column[],
  rows: readonly (readonly string[])[],
  terminal: Terminal,
): readonly string[] {
  const gap = terminal.width < narrowBelow ? " " : "  ";
  const shown = rows.map((row) => row.map(printable));
  const widths = columns.map((column, index) => {
    const longest = Math.max(
      ...[column.title, ...shown.map((row) => row[index] ?? "")].map(textWidth),
    );
    const widthMax = terminal.width === Infinity ? Infinity : (column.widthMax ?? Infinity);
    return Math.min(longest, widthMax);
  });
  const fixed = widths.slice(0, -1).reduce((sum, width) => sum + width + gap.length, 0);
  const rest = Math.max(1, terminal.width - fixed);
  const line = (texts: readonly string[]): string =>
    columns
      .map(({ align }, index) => {
        const text = texts[index] ?? "";
        const width = widths[index] ?? 0;
        if (index === columns.length - 1) return fit(text, rest);
        return align === "right" ? padStart(fit(text, width), width) : cell(text, width);
      })
      .join(gap);
  return [terminal.paint("dim", line(columns.map(({ title }) => title))), ...shown.map(line)];
}
