/**
 * Mistakes in how agents, topics and workers are declared or started. Thrown at once, before
 * anything is stored.
 */
import { TroupeError } from "./troupe-error.ts";

/**
 * An agent or topic definition is not usable: a bad name, a duplicate declaration, a missing
 * handler.
 */
export class DefinitionError extends TroupeError {
  readonly code = "definition";
}

/**
 * A worker stopped before the turn was done. Nothing of it is kept but its recorded steps, the run
 * does not count, and the next worker handles the message.
 */
export class TurnGivenBackError extends TroupeError {
  readonly code = "turn-given-back";
  override readonly retryable = true;
}

/**
 * Another worker of this id is alive in the namespace. Two of one id cannot share: each would take
 * the other's announcements for its own. The second one does not start.
 */
export class WorkerIdTakenError extends TroupeError {
  readonly code = "worker-id-taken";
}

/** The worker or client was already stopped. */
export class StoppedError extends TroupeError {
  readonly code = "stopped";
}
