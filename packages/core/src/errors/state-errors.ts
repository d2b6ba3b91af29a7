/**
 * Errors of an agent whose journal begins with a base record: the code does not fit the state
 * there. Nothing is lost: the agent waits, is tried again, and goes on as soon as code runs that
 * can read it.
 */
import { TroupeError } from "./troupe-error.ts";

/** A base record holds a state of newer code: only a worker with that code can go on. */
export class NewerStateError extends TroupeError {
  readonly code = "newer-state";
}

/**
 * A base record holds a state of an older version, and nothing is declared that lifts it. The
 * records from which it was folded are not there any more: declare `state(initial, { version,
 * migrate })`.
 */
export class MissingMigrationError extends TroupeError {
  readonly code = "missing-migration";
}

/** A migration of a state threw, or did not return a storable value at once. */
export class MigrationError extends TroupeError {
  readonly code = "migration-failed";
}

/** The bytes of a base record are not what was stored, and nothing before it is left to fold. */
export class CorruptBaseError extends TroupeError {
  readonly code = "corrupt-base";
}

/** A state is too large for a base record, so the agent's journal is not truncated. */
export class BaseTooLargeError extends TroupeError {
  readonly code = "base-too-large";
}

/**
 * A retention does not go together with personal data of other subjects than the agent itself: the
 * erasure of one of them would take the whole state that the journal begins with.
 */
export class ForeignSubjectsError extends TroupeError {
  readonly code = "foreign-subjects";
}

/** An agent cannot be forked: the turn is not kept, or the key of the fork has a journal. */
export class ForkRefusedError extends TroupeError {
  readonly code = "fork-refused";
}

/** The agent said with `ctx.end({ later: "refuse" })` that it handles nothing more. */
export class AgentEndedError extends TroupeError {
  readonly code = "agent-ended";
}

/**
 * The message was handled, and the record with its reply is not kept any more: the agent's
 * retention has removed it.
 */
export class ReplyNotKeptError extends TroupeError {
  readonly code = "reply-not-kept";
}
