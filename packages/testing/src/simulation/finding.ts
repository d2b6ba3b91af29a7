/** A rule that does not hold. */
export interface Finding {
  /** The invariant's number, `check` for the user's own, or `stuck`, `drive`. */
  readonly rule: string;
  readonly what: string;
}
