/** Errors in how a handler takes its steps. */
import { TroupeError } from "./troupe-error.ts";

/**
 * Two steps of one name and without an input were under way at once, so that a later run could not
 * tell them apart. The second one's effect did not run. Give each its input: `ctx.step(name, input,
 * effect)`.
 */
export class AmbiguousStepError extends TroupeError {
  readonly code = "ambiguous-step";
}

/**
 * A step has no usable name, or no function. Names are texts that are not empty and do not begin
 * with `~`.
 */
export class InvalidStepError extends TroupeError {
  readonly code = "invalid-step";
}

/**
 * The function of a step used the context of its turn: emitted, sent, asked, set a timer, or took a
 * step. When the turn runs again the function does not, and that would be lost without a word.
 * Return it from the step, and do it after.
 */
export class ContextInStepError extends TroupeError {
  readonly code = "context-in-step";
}
