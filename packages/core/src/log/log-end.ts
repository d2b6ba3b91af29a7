/** What is remembered of a position of the log, and of its end; how it is used is in mark.ts. */
import type { Position } from "../definition/message/input.ts";

/** A position of a log, with what lies there. */
export interface Mark {
  /** Identity of the log, as `Log.end` says it; only to tell what happened to a log. */
  readonly log: string;
  readonly position: Position;
  /**
   * Time at which the log stored what lies there, in milliseconds since the epoch, by the log's
   * clock.
   */
  readonly storedAtMs: number;
}

/** The entry at a position. */
export interface StoredAt {
  readonly storedAtMs: number;
  readonly payload: Uint8Array;
  /** An input or a record of a journal; anything else may be gone at any moment. */
  readonly isLasting: boolean;
}

/** Identity of the log, and its end. */
export interface LogEnd {
  /** Another one for every log that is made, also under the same name. */
  readonly log: string;
  /** The last position; 0 when the log is empty. */
  readonly last: Position;
  /** The last position of each of its shards, where it has several. */
  readonly ends?: readonly Position[] | undefined;
}
