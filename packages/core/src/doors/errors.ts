/**
 * @troupe/core/errors: one class for each condition, under `TroupeError`. docs/reference/errors.md
 * lists their codes and what to do.
 */
export { TroupeError } from "../errors/troupe-error.ts";
export { Reject } from "../errors/message-errors.ts";
export {
  ArchiveBusyError,
  ArchiveDamagedError,
  ArchiveMissingError,
  ArchiveRefusedError,
  ArchiveUnavailableError,
} from "../errors/archive-errors.ts";
export {
  AskCancelledError,
  AskDeadlineError,
  CallCycleError,
  CallDepthError,
  RemoteTurnError,
  UnknownAgentError,
  UnknownMessageError,
} from "../errors/ask-errors.ts";
export {
  DefinitionError,
  StoppedError,
  TurnGivenBackError,
  WorkerIdTakenError,
} from "../errors/definition-errors.ts";
export {
  FoldError,
  MissingUpcasterError,
  NewerEventError,
  UnknownEventError,
  UnknownHereError,
  UpcastError,
} from "../errors/event-errors.ts";
export { DigestKeyError, JournalHoleError } from "../errors/journal-errors.ts";
export { InvalidLimitError, LimitMismatchError } from "../errors/limit-errors.ts";
export {
  ClockDiffersError,
  LogClosedError,
  LogMadeAnewError,
  LogRefusedError,
  LogUnavailableError,
  LogWentBackError,
  PayloadTooLargeError,
  RevisionConflictError,
  TooManyReadersError,
  TooManyWaitingError,
  UnreadableRecordError,
} from "../errors/log-errors.ts";
export {
  AgentParkedError,
  BatchResultError,
  DeadlinePassedError,
  EventTooLargeError,
  ForeignMessageError,
  HopLimitError,
  IdTakenError,
  InvalidKeyError,
  InvalidTimerError,
  NoSubscriberError,
  NotStorableError,
  ProcessDiedError,
  type RejectOptions,
  SchemaError,
  StepTimeoutError,
  StepTooLargeError,
  TurnEndedError,
  TurnTimeoutError,
  TurnTooLargeError,
  UndecodablePayloadError,
} from "../errors/message-errors.ts";
export {
  AgentErasedError,
  CorruptSealError,
  KeysUnavailableError,
  MissingKeyError,
  PersonalDataErasedError,
} from "../errors/personal-errors.ts";
export { PipelineStageError, type StageFailure } from "../errors/pipeline-errors.ts";
export {
  ForeignCheckpointError,
  OutdatedProjectionError,
  PoisonEventError,
  SinkRefusedError,
  SinkUnavailableError,
} from "../errors/projection-errors.ts";
export {
  CorruptSnapshotError,
  ForeignSnapshotError,
  StateTooLargeError,
} from "../errors/snapshot-errors.ts";
export {
  AgentEndedError,
  BaseTooLargeError,
  CorruptBaseError,
  ForeignSubjectsError,
  ForkRefusedError,
  MigrationError,
  MissingMigrationError,
  NewerStateError,
  ReplyNotKeptError,
} from "../errors/state-errors.ts";
export { AmbiguousStepError, ContextInStepError, InvalidStepError } from "../errors/step-errors.ts";
export { isFinal } from "../errors/troupe-error.ts";
