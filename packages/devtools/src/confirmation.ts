/**
 * Asking before something that touches many things at once, or destroys one. Only a person at a
 * terminal can answer: a pipe is no consent to what destroys, and anything else goes on unasked.
 */
import { createInterface } from "node:readline/promises";
import { UsageError } from "./failure.ts";
import type { Run } from "./run.ts";

export interface Question {
  readonly text: string;
  /** Set when the things that it is about cannot be brought back. */
  readonly destroys: boolean;
}

/**
 * Whether the person at the terminal agrees. Where there is none, true for what destroys nothing.
 * @throws UsageError, InterruptedError
 */
export async function isConfirmed(
  { destroys, text }: Question,
  { interruption, terminal }: Run,
): Promise<boolean> {
  if (!process.stdin.isTTY || !process.stderr.isTTY) {
    if (!destroys) return true;
    throw new UsageError(`${text} Nobody can be asked here: give --yes if it shall be done.`);
  }
  // Without line editing, so that Ctrl-C stays a signal.
  const lines = createInterface({ input: process.stdin, terminal: false });
  const inputEnds = new Promise<string>((resolve) => lines.once("close", () => resolve("")));
  terminal.prompt(`${text} [y/N]`);
  try {
    const answer = Promise.race([lines.question(""), inputEnds]);
    return /^\s*y(?:es)?\s*$/i.test(await interruption.orInterrupted(answer));
  } finally {
    lines.close();
  }
}
