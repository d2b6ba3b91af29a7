/**
 * A timer: a message that the log itself puts on its way later, so that a wait holds no handler, no
 * memory and no worker (I11).
 *
 * A timer belongs to the agent whose turn sets it and is known by its id. It changes only with a
 * turn's commit (I3): of several changes of one id, in one turn or in one commit, the last one
 * counts.
 */
import type { InputDraft } from "./input.ts";

/** Time at which a timer fires. */
export type TimerTime =
  /** A single firing at this time in milliseconds since the epoch, or at once when that is over. */
  | { readonly atMs: number }
  /** Again and again, the first time after so many milliseconds: whole seconds, at least one. */
  | { readonly everyMs: number };

/** Set a timer in place of the one of this id, if there is one. */
export interface SetTimer {
  readonly kind: "set";
  readonly id: string;
  readonly time: TimerTime;
  /**
   * The message to send; its metadata names the timer. Each message of a repeating timer gets the
   * time of its next firing added to its id.
   */
  readonly message: InputDraft;
  /** There never was a timer of this id, so there is none to replace. */
  readonly isNew?: boolean | undefined;
}

/** Remove a timer. Without one of this id nothing happens. */
export interface CancelTimer {
  readonly kind: "cancel";
  readonly id: string;
}

export type TimerChange = SetTimer | CancelTimer;

/** The id of one firing of a repeating timer's message. */
export function firingId(messageId: string, nextAtMs: number): string {
  return `${messageId}@${nextAtMs}`;
}
