/**
 * What the system knows about an agent type: written by the workers that host it, read by everybody
 * who sends to it.
 */

export interface Manifest {
  readonly type: string;
  /** Names of the messages it handles. */
  readonly messages: readonly string[];
  /** Names of the topics it subscribes to. */
  readonly topics: readonly string[];
  /** Names of the events it emits. */
  readonly events: readonly string[];
  /** Code version of the worker that registered it. */
  readonly version: string;
}
