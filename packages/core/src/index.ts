/** The Troupe model and engine. */
export * from "./definition/agent-calls.ts";
export * from "./definition/agent-definition.ts";
export * from "./definition/agent-reference.ts";
export * from "./definition/agent.ts";
export type * from "./definition/send-options.ts";
export type { RecordedEvent } from "./definition/recorded-event.ts";
export type { EventOptions, Upcast } from "./definition/event-version.ts";
export type * from "./definition/stored-event.ts";
export type { Archive } from "./log/archive/archive-port.ts";
export type { ArchiveStore } from "./log/archive/archive-store.ts";
export { BatchFailure } from "./definition/batch-context.ts";
export type {
  BatchContext,
  BatchItem,
  BatchStepInfo,
  BatchStepOptions,
} from "./definition/batch-context.ts";
export type { BatchSettings } from "./definition/batch-settings.ts";
export type { Receipt } from "./client/sender.ts";
export * from "./client/troupe.ts";
export * from "./client/troupe-options.ts";
export * from "./clock/clock.ts";
export { systemRandom } from "./clock/random.ts";
export type { Random } from "./clock/random.ts";
export * from "./errors/archive-errors.ts";
export type * from "./engine/erasure/erasure.ts";
export * from "./errors/ask-errors.ts";
export * from "./errors/definition-errors.ts";
export * from "./errors/event-errors.ts";
export * from "./errors/journal-errors.ts";
export * from "./errors/limit-errors.ts";
export * from "./errors/log-errors.ts";
export * from "./errors/message-errors.ts";
export * from "./errors/personal-errors.ts";
export * from "./errors/pipeline-errors.ts";
export * from "./errors/projection-errors.ts";
export * from "./errors/snapshot-errors.ts";
export * from "./errors/state-errors.ts";
export * from "./errors/step-errors.ts";
export * from "./errors/troupe-error.ts";
export * from "./engine/inspection/inspection-feed.ts";
export { printable, printableLines } from "./engine/inspection/printable.ts";
export type { IncomingCall, Interceptor, OutgoingCall } from "./engine/turn/interceptor.ts";
export * from "./definition/message/key-token.ts";
export * from "./definition/message/partition.ts";
export { limit } from "./definition/limit.ts";
export type { Limit, LimitOptions, LimitUse, Rate, WeightedLimit } from "./definition/limit.ts";
export * from "./definition/message/address.ts";
export type { AskWait, WaitReport } from "./log/ask-wait.ts";
export * from "./log/cell.ts";
export * from "./log/dead-letter.ts";
export type * from "./log/holdings.ts";
export * from "./definition/message/input.ts";
export type * from "./log/key-store.ts";
export * from "./log/log.ts";
export { lowWater, raiseLowWater, wasRemoved } from "./log/low-water.ts";
export type { LowWater } from "./log/low-water.ts";
export * from "./log/manifest.ts";
export * from "./log/mark.ts";
export * from "./definition/message/metadata.ts";
export * from "./log/presence.ts";
export {
  requireShards,
  shardAt,
  shardOfKey,
  shardOfPartition,
  shardSpan,
  shardsMax,
  type ShardCounts,
} from "./log/shard.ts";
export { ShardedLog, type ShardedLogParts } from "./log/sharded-log.ts";
export type * from "./log/storage-report.ts";
export { redrive } from "./log/redrive.ts";
export { redriveDraft } from "./log/redrive-draft.ts";
export { personal } from "./definition/personal.ts";
export type {
  FieldsOptions,
  Personal,
  PersonalFields,
  PersonalNote,
  SubjectOf,
  WholeOptions,
} from "./definition/personal.ts";
export { isResume, resumeDraft } from "./engine/mailbox/parking.ts";
export type { ResumeOptions } from "./engine/mailbox/parking.ts";
export * from "./definition/message/timer.ts";
export type { RetryPolicy } from "./definition/retry-policy.ts";
export type { JobEvents, JobParts, JobState } from "./definition/pipeline/job-state.ts";
export { pipeline } from "./definition/pipeline/pipeline.ts";
export type { Pipeline, PipelineOptions, Stages } from "./definition/pipeline/pipeline.ts";
export type {
  BatchStageContext,
  BatchStageOptions,
  Job,
  Part,
  PartsOptions,
  StageContext,
  StageDefinition,
  StageOptions,
} from "./definition/pipeline/stage-definition.ts";
export { memoryModel, memorySink } from "./client/projection/memory-sink.ts";
export type { MemoryModel, MemorySink } from "./client/projection/memory-sink.ts";
export { projectSettingsDefault } from "./client/projection/projection-settings.ts";
export type { ProjectOptions, ProjectSettings } from "./client/projection/projection-settings.ts";
export { isSameCheckpoint, startOf } from "./client/projection/checkpoint.ts";
export type { AppliedRecord, Checkpoint } from "./client/projection/checkpoint.ts";
export type {
  CheckpointMove,
  HandleOf,
  ProjectionSink,
  ReadModel,
} from "./client/projection/projection-sink.ts";
export * from "./client/projection/projection.ts";
export type { RunningProjection } from "./client/projection/running-projection.ts";
export * from "./engine/history/replay.ts";
export { encodeBaseRecord } from "./journal/base-record.ts";
export type { BaseRecord, ForkedFrom } from "./journal/base-record.ts";
export type { Fork, ForkOptions } from "./engine/history/fork-agent.ts";
export type { RetentionOptions, TopicRetention } from "./definition/retention-rule.ts";
export type { Migrate, Migrations } from "./definition/state-migration.ts";
export { atLeastOne, atLeastZero, duration, requireOptions } from "./definition/option-rules.ts";
export type { NumberRule, OptionRules } from "./definition/option-rules.ts";
export type { Schema, SchemaInput, SchemaOutput } from "./definition/schema.ts";
export * from "./definition/topic.ts";
export type * from "./definition/context.ts";
export type { FailureContext } from "./definition/failure-context.ts";
export type { Answering, LateAnswer } from "./journal/answering.ts";
export type { TombstoneRecord } from "./journal/tombstone-record.ts";
export type { ParkRecord } from "./journal/park-record.ts";
export { storableFailure } from "./journal/storable-failure.ts";
export { decodeJournalRecord, decodeRecord } from "./journal/journal-record.ts";
export type { JournalRecord } from "./journal/journal-record.ts";
export type { EarlierRun } from "./journal/earlier-run.ts";
export type { InterceptorChanges } from "./journal/interceptor-changes.ts";
export type { RecordedTimer, SentMessage } from "./journal/sent-message.ts";
export { encodeRecord, recordFormat } from "./journal/turn-record-codec.ts";
export { spanIdBelow, spanIdOf, traceIdOf } from "./definition/message/span-ids.ts";
export { continuedTraceId, turnSpan } from "./definition/message/turn-span.ts";
export type { TracedInput, TurnSpan } from "./definition/message/turn-span.ts";
export { digestKeyCell, digestKeyOf } from "./log/digest-key.ts";
export { digestsOf } from "./wire/digests.ts";
export type { Digests } from "./wire/digests.ts";
export { idempotencyKeyOf } from "./journal/recorded-step.ts";
export type { RecordedStep, StepIdentity } from "./journal/recorded-step.ts";
export { emptyRecord } from "./journal/step-record.ts";
export type { StepRecord } from "./journal/step-record.ts";
export * from "./journal/turn-record.ts";
export { decodePayload, encodePayload, type ContentType } from "./wire/payload.ts";
export { Sealed } from "./wire/sealed.ts";
export type { KeyReference } from "./wire/sealed.ts";
export type { Holding, OwnershipTimings } from "./engine/ownership/ownership.ts";
export { preferShortPauses } from "./engine/worker/short-pauses.ts";
export { workerSettingsDefault } from "./engine/worker/worker-options.ts";
export type { WorkerOptions, WorkerSettings } from "./engine/worker/worker-options.ts";
export type { StopOptions } from "./engine/worker/stop-options.ts";
export type { Worker } from "./engine/worker/worker.ts";
