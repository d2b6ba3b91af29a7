/**
 * Errors that belong to no turn: a promise that a handler let go of, a timer or a listener of its
 * that throws. Which turns run then is the best that can be said about whose they are.
 */
import { errorData } from "@troupe/core/log";
import type { Run } from "../run.ts";
import { exitCode } from "../exit-code.ts";
import type { RunningTurns } from "./running-turns.ts";

/** Says such errors from now on. Returns the function that ends it. */
export function tellStrayErrors({ terminal }: Run, running: RunningTurns): () => void {
  const say = (what: string, thrown: unknown): void => {
    const { details, message } = errorData(thrown);
    const [place] = (details?.["stack"] as readonly string[] | undefined) ?? [];
    const where = place === undefined ? "" : ` at ${place}`;
    terminal.note(`${what}: ${message}${where}. Running: ${String(running)}.`);
  };
  // Nothing of ours depends on such a promise, so the other turns go on.
  const rejected = (reason: unknown): void =>
    say("A promise was rejected that nobody awaits", reason);
  // Whoever threw may have left anything half done. The run counts as one that ended its process.
  const thrown = (error: unknown): void => {
    say("An error was thrown outside of every turn; this process ends", error);
    process.exit(exitCode.failed);
  };
  process.on("unhandledRejection", rejected);
  process.on("uncaughtException", thrown);
  return () => {
    process.off("unhandledRejection", rejected);
    process.off("uncaughtException", thrown);
  };
}
