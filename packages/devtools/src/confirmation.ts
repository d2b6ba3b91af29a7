/** Asking before something that touches many things at once; only where a person can answer. */
import { createInterface } from "node:readline/promises";
import type { Run } from "./run.ts";

/** Whether the person at the terminal agrees; true when there is none. @throws InterruptedError */
export async function isConfirmed(question: string, { interruption }: Run): Promise<boolean> {
  if (!process.stdin.isTTY || !process.stderr.isTTY) return true;
  // Without line editing, so that Ctrl-C stays a signal.
  const lines = createInterface({ input: process.stdin, output: process.stderr, terminal: false });
  const inputEnds = new Promise<string>((resolve) => lines.once("close", () => resolve("")));
  try {
    const answer = Promise.race([lines.question(`${question} [y/N] `), inputEnds]);
    return /^\s*y(?:es)?\s*$/i.test(await interruption.orInterrupted(answer));
  } finally {
    lines.close();
  }
}
