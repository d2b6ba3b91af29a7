/**
 * @troupe/core: what an application is written with.
 *
 * Makers of a log or a sink find more in `@troupe/core/log`, operators of a system in
 * `@troupe/core/operate`, and every error class is in `@troupe/core/errors`.
 */

// Declaring agents and what they say to each other.
export { type AgentReference, agentNamed } from "./definition/agent-reference.ts";
export { type Agent, type HandlerOptions, agent } from "./definition/agent.ts";
export type { Context } from "./definition/context.ts";
export type { EventOptions } from "./definition/event-version.ts";
export type { FailureContext } from "./definition/failure-context.ts";
export { personal } from "./definition/personal.ts";
export type { RetentionOptions } from "./definition/retention-rule.ts";
export type { RetryPolicy } from "./definition/retry-policy.ts";
export { type Topic, topic } from "./definition/topic.ts";
export { Reject } from "./errors/message-errors.ts";

// Calls from a handler.
export type {
  AskOptions,
  EndOptions,
  StepInfo,
  StepOptions,
  TimerOptions,
} from "./definition/context.ts";
export { type Limit, type LimitOptions, limit } from "./definition/limit.ts";

// Many messages in one call.
export { type BatchContext, BatchFailure, type BatchItem } from "./definition/batch-context.ts";

// Agents from stages.
export { type Pipeline, type PipelineOptions, pipeline } from "./definition/pipeline/pipeline.ts";
export type { Job, Part, StageContext } from "./definition/pipeline/stage-definition.ts";

// Read models.
export { type MemorySink, memoryModel, memorySink } from "./client/projection/memory-sink.ts";
export type { ProjectOptions } from "./client/projection/projection-settings.ts";
export type { ProjectionSink } from "./client/projection/projection-sink.ts";
export type { ReadModel } from "./client/projection/read-model.ts";
export { type EventInfo, type Projection, projection } from "./client/projection/projection.ts";
export type { RunningProjection } from "./client/projection/running-projection.ts";

// Sending, asking, working.
export type { KeysOptions } from "./client/agent-keys.ts";
export type { Receipt } from "./client/sender.ts";
export type { TroupeOptions } from "./client/troupe-options.ts";
export { type Troupe, createTroupe } from "./client/troupe.ts";
export type { MessageOptions } from "./definition/agent-calls.ts";
export type { CurrentState } from "./engine/history/current-state.ts";
export type { PublishOptions, SendOptions } from "./definition/send-options.ts";
export { preferShortPauses } from "./engine/worker/short-pauses.ts";
export type { StopOptions } from "./engine/worker/stop-options.ts";
export type { WorkerOptions } from "./engine/worker/worker-options.ts";
export type { Worker } from "./engine/worker/worker.ts";

// Watching and changing what passes.
export type { InspectionEvent } from "./engine/inspection/inspection-feed.ts";
export type { IncomingCall, Interceptor, OutgoingCall } from "./engine/turn/interceptor.ts";
export { TroupeError } from "./errors/troupe-error.ts";
