/** Errors of one message. Each ends as one dead letter (I10). */
import type { ErrorData } from "./troupe-error.ts";
import { TroupeError } from "./troupe-error.ts";

/** The payload is not what its content type says, for example broken JSON. */
export class UndecodablePayloadError extends TroupeError {
  readonly code = "undecodable-payload";
}

/** The payload was decoded but the message's schema refused it; `details.issues` lists why. */
export class SchemaError extends TroupeError {
  readonly code = "schema";
}

/** The key cannot name an agent: empty, too long, badly escaped, or more than one subject token. */
export class InvalidKeyError extends TroupeError {
  readonly code = "invalid-key";
}

/**
 * A foreign message asks for what no foreign client may have: a reply at an address that is not
 * its own inbox, a word of the engine's, or more header bytes than are read. It was not handled.
 */
export class ForeignMessageError extends TroupeError {
  readonly code = "foreign-message";
}

export interface RejectOptions {
  readonly omitted?: Readonly<Record<string, string>> | undefined;
}

/**
 * A handler's final no: the message is not tried again. The asker gets this error typed, with the
 * same `reason` and `data`, which is the answer to the ask; a message that nobody asked becomes a
 * dead letter. The reason always arrives; data that cannot
 * be stored, or have more than some 12 kB with it, do not, and `omitted` says why.
 *
 * @example
 * ```ts
 * if (ctx.state.balance < 10)
 *   throw new Reject("not enough money", { balance: ctx.state.balance });
 * ```
 */
export class Reject extends TroupeError {
  readonly code = "rejected";
  readonly reason: string;
  readonly data: unknown;
  /** Parts that did not arrive, each with the reason: `{ data: "…" }`. Undefined when all did. */
  readonly omitted: Readonly<Record<string, string>> | undefined;

  constructor(reason: string, data?: unknown, options: RejectOptions = {}) {
    const { omitted } = options;
    const details = omitted === undefined ? { reason, data } : { reason, data, omitted };
    const without = omitted === undefined ? "" : ` Left out: ${listed(omitted)}.`;
    super(`The message was rejected: ${reason}.${without}`, { details });
    this.reason = reason;
    this.data = data;
    this.omitted = omitted;
  }

  /**
   * @example
   * ```ts
   * const rejection = Reject.fromData(failure);
   * ```
   */
  static fromData({ details = {}, message }: ErrorData): Reject {
    const { data, omitted, reason } = details;
    const said = typeof reason === "string" ? reason : message;
    const isOmitted = typeof omitted === "object" && omitted !== null;
    return new Reject(
      said,
      data,
      isOmitted ? { omitted: omitted as RejectOptions["omitted"] } : {},
    );
  }
}

function listed(omitted: Readonly<Record<string, string>>): string {
  return Object.entries(omitted)
    .map(([part, why]) => `${part} (${why})`)
    .join(", ");
}

/**
 * An event has more bytes than `eventBytesMax`. It is not part of the turn; an event tells what
 * happened, large content belongs elsewhere.
 */
export class EventTooLargeError extends TroupeError {
  readonly code = "event-too-large";
}

/** A turn produced more events, messages or bytes than fit in one atomic commit. */
export class TurnTooLargeError extends TroupeError {
  readonly code = "turn-too-large";
}

/**
 * A step's result is larger than a record of the log may be. Its effect is done, its result is not
 * recorded; the other steps of the turn are.
 */
export class StepTooLargeError extends TroupeError {
  readonly code = "step-too-large";
}

/**
 * Messages were sent one out of the other so many times, without a pause, that this is taken for a
 * loop that feeds itself. The turn that would send the next one fails for good.
 */
export class HopLimitError extends TroupeError {
  readonly code = "hop-limit";
}

/** A handler emitted, sent or published after it had returned, or after its turn was given up. */
export class TurnEndedError extends TroupeError {
  readonly code = "turn-ended";
}

/**
 * A batch handler, or the effect of a step for many messages, did not return one result per
 * message. Its messages are tried again one by one.
 */
export class BatchResultError extends TroupeError {
  readonly code = "batch-result";
  override readonly retryable = true;
}

/**
 * The log knows this message id: it stands for another message to the same agent or topic. Nothing
 * was stored.
 */
export class IdTakenError extends TroupeError {
  readonly code = "id-taken";
}

/** A timer's time, interval or id is not usable. Nothing was set. */
export class InvalidTimerError extends TroupeError {
  readonly code = "invalid-timer";
}

/**
 * The value is nothing that can be stored, so it was refused where it was given; `details.path`
 * says which part of it. docs/guides/values.md has the list of what can.
 */
export class NotStorableError extends TroupeError {
  readonly code = "not-storable";
}

/** A handler took longer than its limit, or never returned; the turn is tried again. */
export class TurnTimeoutError extends TroupeError {
  readonly code = "turn-timeout";
  override readonly retryable = true;
}

/** A message was published on a topic that no agent type ever subscribed to; it is stored. */
export class NoSubscriberError extends TroupeError {
  readonly code = "no-subscriber";
}

/**
 * The message is not run again, because so many processes ended while they handled it: out of
 * memory, a native crash, `process.exit`, a loop without end.
 */
export class ProcessDiedError extends TroupeError {
  readonly code = "process-died";
  override readonly retryable = true;
}

/**
 * A step took longer than its limit; the turn is tried again, and the step with the same
 * idempotency key.
 */
export class StepTimeoutError extends TroupeError {
  readonly code = "step-timeout";
  override readonly retryable = true;
}

/** The agent is parked: one of its messages keeps failing. Messages to it wait on the log. */
export class AgentParkedError extends TroupeError {
  readonly code = "agent-parked";
  override readonly retryable = true;
}

/**
 * The deadline of an ask passed before its turn was over: nobody waits for the reply any more, so
 * the turn kept nothing.
 */
export class DeadlinePassedError extends TroupeError {
  readonly code = "deadline-passed";
}
