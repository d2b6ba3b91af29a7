/** The Troupe model and engine. */
export * from "./agent/agent-calls.ts";
export * from "./agent/agent-definition.ts";
export * from "./agent/agent-reference.ts";
export * from "./agent/agent.ts";
export type { EventOptions, Upcast } from "./agent/event-version.ts";
export type * from "./agent/stored-event.ts";
export type { Archive } from "./archive/archive-port.ts";
export type { ArchiveStore } from "./archive/archive-store.ts";
export { BatchFailure } from "./batch/batch-context.ts";
export type {
  BatchContext,
  BatchItem,
  BatchStepInfo,
  BatchStepOptions,
} from "./batch/batch-context.ts";
export type { BatchSettings } from "./batch/batch-settings.ts";
export { type PublishOptions, type Receipt, type SendOptions } from "./client/sender.ts";
export * from "./client/troupe.ts";
export * from "./client/troupe-options.ts";
export * from "./clock/clock.ts";
export { systemRandom } from "./clock/random.ts";
export type { Random } from "./clock/random.ts";
export * from "./errors/archive-errors.ts";
export type * from "./erasure/erasure.ts";
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
export * from "./inspection/inspection-feed.ts";
export { printable, printableLines } from "./inspection/printable.ts";
export type { IncomingCall, Interceptor, OutgoingCall } from "./interceptor/interceptor.ts";
export * from "./key/key-token.ts";
export * from "./key/partition.ts";
export { limit } from "./limit/limit.ts";
export type { Limit, LimitOptions, LimitUse, Rate, WeightedLimit } from "./limit/limit.ts";
export * from "./log/address.ts";
export type { AskWait, WaitReport } from "./log/ask-wait.ts";
export * from "./log/cell.ts";
export * from "./log/dead-letter.ts";
export type * from "./log/holdings.ts";
export * from "./log/input.ts";
export type * from "./log/key-store.ts";
export * from "./log/log.ts";
export { lowWater, raiseLowWater, wasRemoved } from "./log/low-water.ts";
export type { LowWater } from "./log/low-water.ts";
export * from "./log/manifest.ts";
export * from "./log/mark.ts";
export * from "./log/metadata.ts";
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
export { personal } from "./personal/personal.ts";
export type {
  FieldsOptions,
  Personal,
  PersonalFields,
  PersonalNote,
  SubjectOf,
  WholeOptions,
} from "./personal/personal.ts";
export { isResume, resumeDraft } from "./mailbox/parking.ts";
export type { ResumeOptions } from "./mailbox/parking.ts";
export * from "./log/timer.ts";
export type { RetryPolicy } from "./mailbox/retry-policy.ts";
export type { JobEvents, JobParts, JobState } from "./pipeline/job-state.ts";
export { pipeline } from "./pipeline/pipeline.ts";
export type { Pipeline, PipelineOptions, Stages } from "./pipeline/pipeline.ts";
export type {
  BatchStageContext,
  BatchStageOptions,
  Job,
  Part,
  PartsOptions,
  StageContext,
  StageDefinition,
  StageOptions,
} from "./pipeline/stage-definition.ts";
export { memoryModel, memorySink } from "./projection/memory-sink.ts";
export type { MemoryModel, MemorySink } from "./projection/memory-sink.ts";
export { projectSettingsDefault } from "./projection/projection-settings.ts";
export type { ProjectOptions, ProjectSettings } from "./projection/projection-settings.ts";
export { isSameCheckpoint, startOf } from "./projection/checkpoint.ts";
export type { AppliedRecord, Checkpoint } from "./projection/checkpoint.ts";
export type {
  CheckpointMove,
  HandleOf,
  ProjectionSink,
  ReadModel,
} from "./projection/projection-sink.ts";
export * from "./projection/projection.ts";
export type { RunningProjection } from "./projection/running-projection.ts";
export * from "./replay/replay.ts";
export { encodeBaseRecord } from "./retention/base-record.ts";
export type { AfterEnd, BaseRecord, ForkedFrom } from "./retention/base-record.ts";
export type { Fork, ForkOptions } from "./retention/fork-agent.ts";
export type { RetentionOptions, TopicRetention } from "./retention/retention-rule.ts";
export type { Migrate, Migrations } from "./retention/state-migration.ts";
export { atLeastOne, atLeastZero, duration, requireOptions } from "./schema/option-rules.ts";
export type { NumberRule, OptionRules } from "./schema/option-rules.ts";
export type { Schema, SchemaInput, SchemaOutput } from "./schema/schema.ts";
export * from "./topic/topic.ts";
export type * from "./turn/context.ts";
export type { FailureContext } from "./turn/failure-context.ts";
export type { Answering, LateAnswer } from "./turn/answering.ts";
export type { TombstoneRecord } from "./turn/tombstone-record.ts";
export type { ParkRecord } from "./turn/park-record.ts";
export { storableFailure } from "./turn/storable-failure.ts";
export { decodeJournalRecord, decodeRecord } from "./turn/journal-record.ts";
export type { JournalRecord } from "./turn/journal-record.ts";
export type { EarlierRun } from "./turn/earlier-run.ts";
export type { InterceptorChanges } from "./turn/interceptor-changes.ts";
export type { RecordedTimer, SentMessage } from "./turn/sent-message.ts";
export { encodeRecord, recordFormat } from "./turn/turn-record-codec.ts";
export { spanIdBelow, spanIdOf, traceIdOf } from "./trace/span-ids.ts";
export { continuedTraceId, turnSpan } from "./trace/turn-span.ts";
export type { TracedInput, TurnSpan } from "./trace/turn-span.ts";
export { digestKeyCell, digestKeyOf } from "./log/digest-key.ts";
export { digestsOf } from "./wire/digests.ts";
export type { Digests } from "./wire/digests.ts";
export { idempotencyKeyOf } from "./turn/recorded-step.ts";
export type { RecordedStep, StepIdentity } from "./turn/recorded-step.ts";
export { emptyRecord } from "./turn/step-record.ts";
export type { StepRecord } from "./turn/step-record.ts";
export * from "./turn/turn-record.ts";
export { decodePayload, encodePayload } from "./wire/payload.ts";
export { Sealed } from "./wire/sealed.ts";
export type { KeyReference } from "./wire/sealed.ts";
export type { Holding, OwnershipTimings } from "./worker/ownership.ts";
export { preferShortPauses } from "./worker/short-pauses.ts";
export { workerSettingsDefault } from "./worker/worker-options.ts";
export type { WorkerOptions, WorkerSettings } from "./worker/worker-options.ts";
export type { StopOptions } from "./worker/stop-options.ts";
export type { Worker } from "./worker/worker.ts";
