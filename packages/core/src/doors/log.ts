/**
 * @troupe/core/log: for makers of logs and of sinks. The port, what travels over it, and the rules
 * that every log keeps.
 */

// The port.
export type { KeptPublications } from "../engine/erasure/erasure.ts";
export type { AskWait, WaitReport } from "../log/ask-wait.ts";
export { type Cell, requireCellFits } from "../log/cell.ts";
export type { Holdings, LogPart } from "../log/holdings.ts";
export type { KeyStore, StoredKey } from "../log/key-store.ts";
export type {
  AcceptOptions,
  CallOptions,
  Floor,
  FloorHolder,
  FollowRequest,
  InputPlace,
  JournalEntry,
  Log,
  LogEntry,
  LogStatus,
  ReadOptions,
  ReadRequest,
  Reader,
  TurnCommit,
} from "../log/log.ts";
export type { LogLimits } from "../log/log-limits.ts";
export type { Presence } from "../log/presence.ts";
export type { StorageReport, StoredKind, StoredPart } from "../log/storage-report.ts";

// Parts of the log's traffic: addresses, messages, timers, dead letters.
export {
  type Address,
  type AgentId,
  agentName,
  parseAgentName,
} from "../definition/message/address.ts";
export {
  type Accepted,
  type Input,
  type InputDraft,
  type Position,
  inputBytes,
} from "../definition/message/input.ts";
export type { Metadata } from "../definition/message/metadata.ts";
export {
  type CancelTimer,
  type SetTimer,
  type TimerChange,
  type TimerTime,
  firingId,
} from "../definition/message/timer.ts";
export { type ErrorData, type TroupeErrorOptions, errorData } from "../errors/troupe-error.ts";
export { storableFailure } from "../journal/storable-failure.ts";
export type { DeadLetter } from "../log/dead-letter.ts";
export { type ContentType, decodePayload, encodePayload } from "../wire/payload.ts";

// Keys, partitions and shards.
export {
  isToken,
  keyToToken,
  keyTokenBytesMax,
  tokenToKey,
} from "../definition/message/key-token.ts";
export { partitionCountDefault, partitionOfToken } from "../definition/message/partition.ts";
export {
  type ShardCounts,
  requireShards,
  shardAt,
  shardOfKey,
  shardOfPartition,
  shardSpan,
  shardsMax,
} from "../log/shard.ts";
export { ShardedLog, type ShardedLogParts } from "../log/sharded-log.ts";

// Knowledge about a log: manifests, marks, and the entries that were removed.
export { type LowWater, lowWater, raiseLowWater, wasRemoved } from "../log/low-water.ts";
export {
  type Manifest,
  type ManifestNames,
  type SubscriptionBeginning,
  grownManifest,
  isSameManifest,
  shrunkManifest,
} from "../log/manifest.ts";
export { fitsLog, laterMark, logChanged } from "../log/mark.ts";
export { type LogEnd, type Mark, type StoredAt } from "../log/log-end.ts";

// Sinks of projections.
export {
  type AppliedRecord,
  type Checkpoint,
  isSameCheckpoint,
  startOf,
} from "../client/projection/checkpoint.ts";
export type { CheckpointMove, ProjectionSink } from "../client/projection/projection-sink.ts";
export type { HandleOf, ReadModel } from "../client/projection/read-model.ts";
export type { ProjectionDefinition } from "../client/projection/projection.ts";

// Options, time and chance.
export { troupeOptionRules } from "../client/troupe-options.ts";
export { type Clock, systemClock } from "../clock/clock.ts";
export { type Random, systemRandom } from "../clock/random.ts";
export {
  type NumberRule,
  type OptionRules,
  atLeastOne,
  atLeastZero,
  duration,
  requireOptions,
} from "../definition/option-rules.ts";
