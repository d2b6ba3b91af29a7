/** A projection at work, as its user sees it. */
import type { Position } from "../../definition/message/input.ts";

export interface RunningProjection extends AsyncDisposable {
  readonly name: string;
  readonly version: number;
  /** Position up to which all events are in the model. */
  readonly position: Position;
  /** Records that are on the log and not yet in the model, as far as this process knows. */
  readonly lag: number;
  /** Events this run has put into the model. */
  readonly applied: number;
  /** Events this run left out because their handler threw, with the policy `skip`. */
  readonly skipped: number;
  /** Resolves when the run was stopped. Rejects with the error that ended it. */
  readonly ended: Promise<void>;
  /**
   * Resolves when everything that is on the log at the time of the call is in the model. Rejects
   * with the error that ended the run, StoppedError after a stop, or the signal's reason.
   *
   * @example
   * ```ts
   * await running.caughtUp(AbortSignal.timeout(10_000));
   * ```
   */
  caughtUp(signal?: AbortSignal): Promise<void>;
  /**
   * Finishes the transaction under way, and ends. Never rejects.
   *
   * @example
   * ```ts
   * await running.stop();
   * ```
   */
  stop(): Promise<void>;
}
