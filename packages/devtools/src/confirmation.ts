/** Asking before something that touches many things at once; only where a person can answer. */
import { createInterface } from "node:readline/promises";
import type { Run } from "./run.ts";

/** Whether the person at the terminal agrees; true when there is none. @throws InterruptedError */
export async function isConfirmed(
  question: string,
  { interruption, terminal }: Run,
): Promise<boolean> {
  if (!process.stdin.isTTY || !process.stderr.isTTY) return true;
  // Without line editing, so that Ctrl-C stays a signal.
  const lines = createInterface({ input: process.stdin, terminal: false });
  const inputEnds = new Promise<string>((resolve) => lines.once("close", () => resolve("")));
  terminal.prompt(`${question} [y/N]`);
  try {
    const answer = Promise.race([lines.question(""), inputEnds]);
    return /^\s*y(?:es)?\s*$/i.test(await interruption.orInterrupted(answer));
  } finally {
    lines.close();
  }
}
