/**
 * Wraps comments that are wider than 100 columns; oxfmt formats code and leaves comments alone.
 *
 * Only what overflows moves: to the next line when that continues the same paragraph, else to a new
 * line. A comment without a space to break at (a long URL) stays. Run by `npm run format`, for all
 * tracked files or those that are named; the rule is held by test/tidy.test.ts.
 */
import { execFileSync } from "node:child_process";
import { existsSync, readFileSync, writeFileSync } from "node:fs";

const columnsMax = 100;
/** Indentation and marker, then the words. Table rows and list markers belong to the words. */
const commentLine = /^(\s*(?:\/\/|\/\*\*|\*) )(\S.*)$/;
/** Lines that start something of their own, so nothing is prepended to them. */
const ownStart = /^(?:[-*@|#]|\d+\.|I\d+\b|[A-Z]+-\d+\b|```)/;
/** Lines that mean something to a tool, which reads one line only, and rows of tables. */
const unbreakable = /^(?:\||@ts-|(?:ox|es)lint-)/;

/** The numbers, from 1, of the lines that {@link wrapComments} would change. */
export function tooWideComments(text: string): number[] {
  return text
    .split("\n")
    .flatMap((line, index) => (breakColumn(line) === undefined ? [] : [index + 1]));
}

/** The same text with every comment inside the columns, as far as it has spaces. */
export function wrapComments(text: string): string {
  const lines = text.split("\n");
  for (let index = 0; index < lines.length; index += 1) {
    const line = lines[index] ?? "";
    const column = breakColumn(line);
    if (column === undefined) continue;
    const whole = /^(\s*)\/\*\* (.*) \*\/$/.exec(line);
    if (whole !== null) {
      lines.splice(index, 1, `${whole[1]}/**`, `${whole[1]} * ${whole[2]}`, `${whole[1]} */`);
      continue;
    }
    lines[index] = line.slice(0, column);
    const rest = line.slice(column + 1);
    const prefix = continuation(line);
    const next = commentLine.exec(lines[index + 1] ?? "");
    const joins = next?.[1] === prefix && !ownStart.test(next[2] ?? "");
    if (joins) lines[index + 1] = `${prefix}${rest} ${next[2]}`;
    else lines.splice(index + 1, 0, `${prefix}${rest}`);
  }
  return lines.join("\n");
}

/** Column at which to break a comment that is too wide: the last space that fits. */
function breakColumn(line: string): number | undefined {
  if (line.length <= columnsMax) return undefined;
  const match = commentLine.exec(line);
  if (match === null || unbreakable.test(match[2] ?? "")) return undefined;
  const column = line.lastIndexOf(" ", columnsMax);
  return column >= (match[1] ?? "").length ? column : undefined;
}

/** Beginning of the line after this one: under the words of this one. */
function continuation(line: string): string {
  const prefix = commentLine.exec(line)?.[1] ?? "";
  const hanging = /^\s*(?:\/\/|\/\*\*|\*) (- |\d+\. )/.exec(line)?.[1] ?? "";
  return prefix.replace("/** ", " * ") + " ".repeat(hanging.length);
}

if (import.meta.main) {
  const named = process.argv.slice(2);
  for (const path of named.length > 0 ? named : trackedCode()) {
    const text = readFileSync(path, "utf8");
    const wrapped = wrapComments(text);
    if (wrapped !== text) writeFileSync(path, wrapped);
  }
}

function trackedCode(): string[] {
  const paths = execFileSync("git", ["ls-files", "*.ts", "*.mjs"], { encoding: "utf8" });
  return paths.split("\n").filter((path) => path !== "" && existsSync(path));
}
