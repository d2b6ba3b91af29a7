/**
 * Report of the entries that a log keeps, by kind: for operators, and for deciding on a retention.
 */

/** Kind of stored entries: records of an agent type, messages to it, publications of a topic, … */
export type StoredKind =
  | "journal"
  | "inputs"
  | "publications"
  | "dead-letters"
  | "timers"
  | "snapshots"
  | "other";

export interface StoredPart {
  readonly kind: StoredKind;
  /** The agent type, or the topic; empty where there is none. */
  readonly name: string;
  readonly messages: number;
  /** Bytes as the log counts them; of single parts an estimate from samples. */
  readonly bytes: number;
  /** Time at which the oldest one that is kept was stored, in milliseconds since the epoch. */
  readonly oldestMs: number | undefined;
}

export interface StorageReport {
  readonly messages: number;
  readonly bytes: number;
  /** The largest first. */
  readonly parts: readonly StoredPart[];
  readonly oldestMs: number | undefined;
  /** Bytes that were stored in the last day, or as much as a day of what is kept; an estimate. */
  readonly bytesPerDay: number;
  /** Bytes that the log may take, and takes of them, where somebody has set a limit. */
  readonly limit?: { readonly bytes: number; readonly usedBytes: number } | undefined;
}
