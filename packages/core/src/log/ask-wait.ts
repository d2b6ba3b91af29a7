/** An ask that a turn is waiting for, as workers tell each other to find those that never end. */

export interface AskWait {
  /** `type/key` of the agent whose turn waits. */
  readonly caller: string;
  /** `type/key` of the agent that is asked. */
  readonly callee: string;
  /** Unique among all asks that wait. */
  readonly ask: string;
}

/** The asks that one worker's turns are waiting for right now. */
export interface WaitReport {
  readonly worker: string;
  readonly waits: readonly AskWait[];
}
