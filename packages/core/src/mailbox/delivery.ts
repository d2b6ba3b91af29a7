/** One input on its way through one agent's mailbox. */
import type { TroupeError } from "../errors/troupe-error.ts";
import type { Input } from "../log/input.ts";

export interface Delivery {
  readonly input: Input;
  /** Handler runs so far. */
  attempts: number;
  /**
   * Set when the log refused the turn's commit: the next run records this failure instead of
   * calling the handler.
   */
  verdict: TroupeError | undefined;
  /** It was in a batch that failed as a whole: it is tried again by itself (B3). */
  alone: boolean;
  /**
   * The input is in the journal (or a dead letter): its position may be passed and its credit
   * returns.
   */
  readonly done: () => void;
}
