/**
 * An entry on one line: time, position, kind, address, summary. The columns keep
 * their width so that lines stand below each other, and the summary gets what is left of the
 * terminal.
 */
import { printable } from "@troupe/core/operate";
import { timeOfDay } from "./quantities.ts";
import type { Style } from "./paint.ts";
import type { Terminal } from "./terminal.ts";
import { cell, fit, padStart } from "./width.ts";

export type EntryKind =
  | "topic"
  | "message"
  | "turn"
  | "steps"
  | "failed"
  | "retry"
  | "dead"
  | "log"
  | "note";

export interface Entry {
  readonly kind: EntryKind;
  /** Milliseconds since the epoch. */
  readonly atMs?: number | undefined;
  readonly position?: number | undefined;
  readonly address: string;
  readonly summary: string;
}

const styles: Readonly<Record<EntryKind, Style>> = Object.freeze({
  topic: "cyan",
  message: "blue",
  turn: "green",
  steps: "green",
  failed: "red",
  retry: "yellow",
  dead: "magenta",
  log: "dim",
  note: "dim",
});

const narrowBelow = 100;
const positionWidth = 7;
const kindWidth = 7;

/** The line, styled and fitted to the terminal's width. */
export function entryLine(entry: Entry, terminal: Terminal): string {
  const isNarrow = terminal.width < narrowBelow;
  const gap = isNarrow ? " " : "  ";
  const { atMs } = entry;
  const timeWidth = isNarrow ? 8 : 12;
  const time = atMs === undefined ? "" : timeOfDay(atMs, { short: isNarrow });
  // As commands take it: plain digits.
  const position = entry.position === undefined ? "" : String(entry.position);
  const address = addressCell(printable(entry.address), terminal.width);
  const head = [cell(time, timeWidth), padStart(position, positionWidth)].join(gap);
  const kind = cell(entry.kind, kindWidth);
  const used = head.length + kindWidth + address.width + 3 * gap.length;
  const summary = fit(printable(entry.summary), Math.max(1, terminal.width - used));
  return [
    terminal.paint("dim", head),
    terminal.paint(styles[entry.kind], kind),
    address.text,
    summary,
  ].join(gap);
}

function addressCell(address: string, width: number): { text: string; width: number } {
  if (width === Infinity) return { text: cell(address, Math.max(24, address.length)), width: 0 };
  const wanted = width < narrowBelow ? 18 : 28;
  return { text: cell(address, wanted), width: wanted };
}
