/**
 * @troupe/core/engine: insides, for packages that are released together with this one, such as
 * `@troupe/testing`. No version number covers them: they change without notice.
 */
export type { MemoryModel } from "../client/projection/memory-sink.ts";
export type { ProjectionOptions } from "../client/projection/projection.ts";
export type { AgentDefinition, AgentGroup, Hostable } from "../definition/agent-definition.ts";
export type { EventTypes, None } from "../definition/agent.ts";
export type { BatchSettings } from "../definition/batch-settings.ts";
export { recordedEvent } from "../definition/event-version.ts";
export { parseTraceparent } from "../definition/message/trace-context.ts";
export {
  atLeastOneOrInfinite,
  delay,
  requireNumber,
  requireNumbers,
} from "../definition/option-rules.ts";
export type { JobEvents, JobState } from "../definition/pipeline/job-state.ts";
export { agentsOfJobs } from "../definition/pipeline/pipeline.ts";
export type { StageDefinition } from "../definition/pipeline/stage-definition.ts";
export { type Schema, validate } from "../definition/schema.ts";
export type { LateReplies } from "../definition/demand.ts";
export { isWord } from "../engine/mailbox/parking.ts";
export { openRecord } from "../engine/personal/open-records.ts";
export { subjectKeys } from "../engine/personal/subject-keys.ts";
export { agentRuntime, manifestOf } from "../engine/runtime/agent-runtime.ts";
export {
  type WorkerSettings,
  workerSettings,
  workerSettingsDefault,
} from "../engine/worker/worker-options.ts";
export { lateReplyOf } from "../journal/answering.ts";
export { encodeBaseRecord } from "../journal/base-record.ts";
export { idempotencyKeyOf, identityKey, stepLabel } from "../journal/recorded-step.ts";
export { type Reply, decodeReply, encodeReply, replyOf } from "../journal/reply.ts";
export { emptyRecord, encodeStepRecord } from "../journal/step-record.ts";
export { encodeRecord } from "../journal/turn-record-codec.ts";
export { digestKeyCell, digestKeyOf } from "../log/digest-key.ts";
export { journalPages } from "../log/journal-pages.ts";
export { ShardPositions } from "../log/shard-positions.ts";
export { digestsOf } from "../wire/digests.ts";
export { stored } from "../wire/storable.ts";
