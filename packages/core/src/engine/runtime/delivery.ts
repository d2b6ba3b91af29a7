/** An input on its way through one agent's mailbox. */
import type { Input, Position } from "../../definition/message/input.ts";
import type { EarlierRun } from "../../journal/earlier-run.ts";

export interface Delivery {
  readonly input: Input;
  /** Handler runs so far. */
  attempts: number;
  /**
   * Set when the log refused the turn's commit, or it has failed and keys are to be read first: the
   * next run records this failure instead of calling the handler.
   */
  forced: unknown;
  /** Set after a batch that failed as a whole: the message is tried again by itself (BATCH-3). */
  alone: boolean;
  /**
   * Set when its asker was told that it waits on the log, so no deadline ends it. @default false
   */
  readonly waits?: boolean;
  /**
   * Whether its run has to be written down in the journal (RUN-1), or that is over. @default
   * unknown
   */
  begin?: "coming" | "over";
  readonly place: Place;
  /** Time at which its worker got it, by its clock. */
  readonly receivedAtMs: number;
  /** Time at which the agent's journal was read since then; undefined when it was in memory. */
  activatedAtMs: number | undefined;
  /** Time at which the handler was called first. */
  firstStartedAtMs: number | undefined;
  /** Runs here that failed; undefined without any. */
  failedRuns: readonly EarlierRun[] | undefined;
  /** Set once its room in the window went to others. @default false */
  lent?: boolean;
}

/** The room that an input takes up until it is handled. */
export interface Place {
  /**
   * The input is in the journal (or a dead letter), or stays on the log for later: its position may
   * be passed and its credit returns.
   */
  done(): void;
  /**
   * The input waits for something: its room in the window may go to others. False when no more
   * places can be lent.
   */
  lend(): boolean;
}

/** A place in the window of a partition. */
export interface WindowPlace extends Place {
  /**
   * The place stands for everything of its key from this position on, until it is done. Returns
   * what the key may have in memory instead.
   */
  standFor(from: Position): BacklogShare;
}

/** Room for the inputs that a key which is behind may have read back: one input in any case. */
export interface BacklogShare {
  readonly inputs: number;
  readonly bytes: number;
}

/** Place of an input that is in no window. */
export const noPlace: Place = Object.freeze({ done: () => undefined, lend: () => true });

export function delivery(input: Input, place: Place, receivedAtMs: number): Delivery {
  return {
    input,
    attempts: 0,
    forced: undefined,
    alone: false,
    place,
    receivedAtMs,
    activatedAtMs: undefined,
    firstStartedAtMs: undefined,
    failedRuns: undefined,
  };
}
