/** Replies as the asker receives them: the handler's value or the recorded failure. */
import {
  AskCancelledError,
  AskDeadlineError,
  CallCycleError,
  CallDepthError,
  RemoteTurnError,
  UnknownAgentError,
  UnknownMessageError,
} from "../errors/ask-errors.ts";
import {
  AgentParkedError,
  EventTooLargeError,
  InvalidKeyError,
  Reject,
  SchemaError,
  TurnTooLargeError,
  UndecodablePayloadError,
} from "../errors/message-errors.ts";
import { PayloadTooLargeError } from "../errors/log-errors.ts";
import { AgentErasedError, PersonalDataErasedError } from "../errors/personal-errors.ts";
import type { ErrorData, TroupeErrorOptions } from "../errors/troupe-error.ts";
import type { TroupeError } from "../errors/troupe-error.ts";
import { decodeRecordPayload, encodeRecordPayload } from "../wire/payload.ts";
import type { StageFailure } from "../errors/pipeline-errors.ts";
import { PipelineStageError } from "../errors/pipeline-errors.ts";

export interface Reply {
  readonly value?: unknown;
  readonly failure?: ErrorData | undefined;
  /** No answer yet, but why it does not come: the asker goes on waiting. */
  readonly note?: ErrorData | undefined;
}

/** What a turn record says of the reply. */
export interface Replied {
  readonly reply?: unknown;
  readonly failure?: ErrorData | undefined;
}

export function replyOf(record: Replied): Reply {
  return record.failure === undefined ? { value: record.reply } : { failure: record.failure };
}

export function encodeReply(reply: Reply): Uint8Array {
  if (reply.note !== undefined) return encodeRecordPayload([null, null, reply.note]);
  if (reply.failure !== undefined) return encodeRecordPayload([null, reply.failure]);
  return encodeRecordPayload(reply.value === undefined ? [] : [reply.value]);
}

export function decodeReply(payload: Uint8Array): Reply {
  const [value, failure, note] = decodeRecordPayload(payload) as WireReply;
  if (note !== undefined) return { note };
  return failure === undefined || failure === null ? { value } : { failure };
}

/** The value; or null and a failure; or null twice and a note. */
type WireReply = readonly [unknown, (ErrorData | null)?, ErrorData?];

type ErrorClass = new (message: string, options?: TroupeErrorOptions) => TroupeError;

const classes: Readonly<Record<string, ErrorClass>> = {
  "unknown-agent": UnknownAgentError,
  "unknown-message": UnknownMessageError,
  "ask-deadline": AskDeadlineError,
  "ask-cancelled": AskCancelledError,
  // To whoever asked it is the same, only certain: the details say that nothing was kept.
  "deadline-passed": AskDeadlineError,
  "call-cycle": CallCycleError,
  "call-depth": CallDepthError,
  "agent-parked": AgentParkedError,
  "invalid-key": InvalidKeyError,
  schema: SchemaError,
  "undecodable-payload": UndecodablePayloadError,
  "payload-too-large": PayloadTooLargeError,
  "event-too-large": EventTooLargeError,
  "turn-too-large": TurnTooLargeError,
  "agent-erased": AgentErasedError,
  "personal-data-erased": PersonalDataErasedError,
};

/** The typed error an asker catches for a recorded failure. */
export function errorOfFailure(failure: ErrorData): TroupeError {
  if (failure.code === "rejected") return Reject.fromData(failure);
  if (failure.code === "pipeline-stage-failed") return stageError(failure);
  const Known = Object.hasOwn(classes, failure.code) ? classes[failure.code] : undefined;
  if (Known !== undefined) return new Known(failure.message, { details: failure.details });
  return new RemoteTurnError(`The agent's turn failed: ${failure.message}`, failure);
}

/** Error of a stage, with the stage's own error as its cause. */
function stageError({ details, message }: ErrorData): PipelineStageError {
  // A failure that was too large to be stored has no details.
  const { failure } = (details ?? {}) as Partial<StageFailure>;
  const cause = failure === undefined ? undefined : errorOfFailure(failure);
  return new PipelineStageError(message, { details, cause });
}
