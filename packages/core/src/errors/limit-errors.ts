/** Errors of a limit. Nothing ran and nothing was taken. */
import { TroupeError } from "./troupe-error.ts";

/** A limit's numbers, its name, or the cost of a step are not usable. */
export class InvalidLimitError extends TroupeError {
  readonly code = "invalid-limit";
}

/** A worker uses two limits of one name with different numbers at the same time. */
export class LimitMismatchError extends TroupeError {
  readonly code = "limit-mismatch";
}
