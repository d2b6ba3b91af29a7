/** Failures that are no failures: the worker stops, and takes from its turns whom they ask. */
import { AskDeadlineError } from "../errors/ask-errors.ts";
import { StoppedError, TurnGivenBackError } from "../errors/definition-errors.ts";
import { tryRead } from "../errors/thrown.ts";
import type { TroupeError } from "../errors/troupe-error.ts";

const kinds = [TurnGivenBackError, AskDeadlineError, StoppedError];

/** Whether a turn may fail with this because its worker stops (W3). */
export function isOfStopping(thrown: unknown): thrown is TroupeError {
  return tryRead(() => kinds.some((each) => thrown instanceof each), false);
}
