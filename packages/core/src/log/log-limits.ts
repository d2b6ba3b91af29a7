/** The bounds of a log, as each log says them. */
export interface LogLimits {
  /** Largest payload the log stores, in bytes. */
  readonly payloadBytesMax: number;
  /** Most messages in one `commit`. */
  readonly commitMessagesMax: number;
  /**
   * Finished turns of one agent from which one commit for all of them is better than one after the
   * other, when they store nothing but their records.
   */
  readonly chainMin: number;
  /**
   * Most readers and followers of the log at once, in all processes. Where every agent type has
   * workers of its own, each of its partitions has a reader.
   */
  readonly readersMax: number;
  /** Time that the log remembers the ids of accepted messages, in milliseconds. */
  readonly idWindowMs: number;
}
