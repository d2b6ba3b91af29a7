/**
 * Failures of a command: each class has an exit code, and every other error is reported readably
 * too.
 */
import { TroupeError } from "@troupe/core";
import { LogUnavailableError } from "@troupe/core/errors";
import { printableLines } from "@troupe/core/operate";
import { exitCode } from "./exit-code.ts";
import { withoutCredentials } from "./secrets.ts";
import { toJson } from "./terminal/json.ts";
import { count } from "./terminal/quantities.ts";
import { wrapText } from "./terminal/wrap-text.ts";
import type { Terminal } from "./terminal/terminal.ts";

/** The command line cannot be carried out as it is; the message says what to write instead. */
export class UsageError extends TroupeError {
  readonly code = "usage";
}

/** The operation was understood and failed. */
export class CommandError extends TroupeError {
  readonly code = "command-failed";
}

/** No server answers at the address. */
export class UnreachableError extends TroupeError {
  readonly code = "unreachable";
  override readonly retryable = true;
}

/** The command was asked to end before it was done. */
export class InterruptedError extends TroupeError {
  readonly code = "interrupted";

  constructor() {
    super("The command was interrupted.");
  }
}

export function exitCodeOf(error: unknown): number {
  if (error instanceof InterruptedError) return exitCode.interrupted;
  if (error instanceof UsageError) return exitCode.usage;
  if (error instanceof UnreachableError || error instanceof LogUnavailableError) {
    return exitCode.unreachable;
  }
  return exitCode.failed;
}

/** Say on the error stream what went wrong: readable, or one line of JSON. */
export function reportFailure(
  terminal: Terminal,
  error: unknown,
  options: { readonly json?: boolean | undefined } = {},
): void {
  if (options.json === true) {
    terminal.note(withoutCredentials(toJson({ error: failureData(error) })));
    return;
  }
  const text = wrapText(`error: ${messageText(failureText(error))}`, terminal.noteWidth);
  terminal.noteLines(text.replace(/^error:/, (mark) => terminal.paintNote("red", mark)));
}

/** Text of an error, and for a rejection also its data. */
export function failureText(error: unknown): string {
  if (!(error instanceof TroupeError)) {
    return error instanceof Error ? (error.stack ?? error.message) : String(error);
  }
  const data = error.code === "rejected" ? error.details["data"] : undefined;
  const shown = data === undefined || data === null ? "" : `\n  data: ${toJson(data)}`;
  return error.message + shown;
}

/**
 * A message for people: not endless, without credentials, and with its lines below each other so
 * that none of them can pass for one of the command's own.
 */
export function messageText(text: string): string {
  return printableLines(withoutCredentials(clipped(text))).replaceAll(/\n(?![ \n])/g, "\n  ");
}

/** A message that is longer than people read; `--json` has all of it. */
function clipped(text: string): string {
  const more = text.length - shownMax;
  return more > 0 ? `${text.slice(0, shownMax)}… (${count(more)} more characters)` : text;
}

const shownMax = 10_000;

function failureData(error: unknown): unknown {
  if (error instanceof TroupeError) return error.toData();
  return { code: "unexpected", message: failureText(error), retryable: false };
}
