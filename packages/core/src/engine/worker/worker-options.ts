/** Settings of a worker. Every bound is explicit (I7). */
import { DefinitionError } from "../../errors/definition-errors.ts";
import type { RetryPolicy } from "../../definition/retry-policy.ts";
import { requireRetryPolicy, retryPolicyDefault } from "../../definition/retry-policy.ts";
import type { CollectorSettings } from "../retention/collector-settings.ts";
import { collectorRules, collectorSettingsDefault } from "../retention/collector-settings.ts";
import type { OptionRules } from "../../definition/option-rules.ts";
import {
  atLeastOne,
  atLeastOneOrInfinite,
  defined,
  delay,
  duration,
  requireOptions,
} from "../../definition/option-rules.ts";
import type { OwnershipTimings } from "../ownership/ownership.ts";
import { ownershipTimingsDefault } from "../ownership/ownership.ts";

export interface WorkerSettings {
  /** Inputs of one partition in memory. Minimum 1. @default 1024 */
  readonly windowMax: number;
  /**
   * Bytes of the inputs of all partitions in memory; each partition may have its part of them, and
   * in any case one input, however large. Inputs that wait behind a handler or with it, and those
   * that keys which are behind have read back, may be as much again each. Minimum 1. @default
   * 33554432 (32 MiB)
   */
  readonly windowBytesMax: number;
  /**
   * Inputs of one agent in its queue; the next ones stay on the log until it has handled these, and
   * hold up nobody. Minimum 1, at most `windowMax`. @default an eighth of
   * `windowMax`
   */
  readonly keyWindowMax: number;
  /**
   * Largest payload a handler gets, in bytes; larger ones become dead letters. Minimum 1. @default
   * 262144
   */
  readonly messageBytesMax: number;
  /**
   * Largest event a handler may emit, in bytes as it is stored; `emit` throws `event-too-large` for
   * a larger one. All events of a turn together have to fit into one message of the log, or `emit`
   * throws `turn-too-large`. Minimum 1. @default 262144
   */
  readonly eventBytesMax: number;
  /**
   * Handlers that may be waiting for something at once, such as a model; those that wait for other
   * agents or for a limit do not count, and a handler that always returned at once needs no place
   * among them. Minimum 1. @default 10000
   */
  readonly handlersMax: number;
  /**
   * The same for handlers of single agent types, by type: others go on when one type has as many as
   * it may. @default no bound of their own
   */
  readonly handlersMaxByType: Readonly<Record<string, number>>;
  /**
   * Time a worker that shows no sign of life keeps its permits of limits, in milliseconds. A worker
   * that is paused or cut off for longer may use more than a limit allows when it comes back, at
   * most by what it had at work. Minimum 1000. @default 5000
   */
  readonly limitLeaseMs: number;
  /**
   * Turns of one agent that may run before the first of them is committed. Minimum 1. @default 64
   */
  readonly runAheadMax: number;
  /**
   * Agents in memory: the longest idle one leaves when another one comes, and readers have smaller
   * windows where busy ones could be more than that. Only where it is less than `partitions` ×
   * hosted types × (`callDepthMax` + 1) may busy ones be as many as this product instead, because
   * agents of one partition that ask each other must not wait for room. Minimum 1. @default 100000
   */
  readonly activationsMax: number;
  /**
   * Turns of one agent between two snapshots. Minimum 1; Infinity counts no turns. @default 100
   */
  readonly snapshotTurns: number;
  /**
   * Bytes of one agent's journal between two snapshots, for agents whose turns are large: an
   * activation reads about as much. With the default, which is that of `stateBytesMax`, what is
   * written for snapshots taken by size is never more than what was written to the journal. Minimum
   * 1; Infinity counts no bytes. @default 1048576
   */
  readonly snapshotBytes: number;
  /**
   * Most bytes of a state's snapshot; the size that the log takes in one message is a limit, too.
   * It is measured only when a snapshot is due. A larger state gets none: the inspection feed tells
   * a fault `state-too-large`, and the agent goes on, because a message that would make the state
   * smaller must get through; only its activations get slower. Minimum 1. @default 1048576
   */
  readonly stateBytesMax: number;
  /**
   * Messages that may be sent, published or asked one out of the other: the turn that would send
   * one more fails with `hop-limit`, so that a topic or agents that feed themselves come to an end.
   * A timer of a second or more begins anew. Minimum 1; Infinity never ends. @default 10000
   */
  readonly hopsMax: number;
  /** Nested asks. Minimum 1. @default 16 */
  readonly callDepthMax: number;
  /** Single records on their way to the log. Minimum 1. @default 1024 */
  readonly singlesMax: number;
  /** Commit groups on their way to the log. Minimum 1. @default 2 */
  readonly groupsMax: number;
  /** Bytes in one commit group. Minimum 1. @default 4194304 */
  readonly groupBytesMax: number;
  /** Milliseconds between two saves of the floors. Minimum 1. @default 1000 */
  readonly floorIntervalMs: number;
  readonly retry: RetryPolicy;
  readonly timings: OwnershipTimings;
  /** Pace at which the collector removes what the types' retention lets go. */
  readonly collector: CollectorSettings;
}

/** Settings that the caller may set; all others take their default. */
export type WorkerOptions = Partial<Omit<WorkerSettings, "collector" | "retry" | "timings">> & {
  readonly collector?: Partial<CollectorSettings>;
  readonly retry?: Partial<RetryPolicy>;
  readonly timings?: Partial<OwnershipTimings>;
  /**
   * Worker id, unique among living workers: a second one does not start. @default host name,
   * process id and a random suffix
   */
  readonly id?: string;
  /**
   * Code version, stored in every turn record. @default that of the nearest package.json above the
   * process's entry point, else "unversioned"
   */
  readonly version?: string;
};

export const workerSettingsDefault: WorkerSettings = Object.freeze({
  windowMax: 1024,
  windowBytesMax: 33_554_432,
  keyWindowMax: 128,
  messageBytesMax: 262_144,
  eventBytesMax: 262_144,
  handlersMax: 10_000,
  handlersMaxByType: Object.freeze({}),
  limitLeaseMs: 5000,
  runAheadMax: 64,
  activationsMax: 100_000,
  snapshotTurns: 100,
  snapshotBytes: 1_048_576,
  stateBytesMax: 1_048_576,
  hopsMax: 10_000,
  callDepthMax: 16,
  singlesMax: 1024,
  groupsMax: 2,
  groupBytesMax: 4_194_304,
  floorIntervalMs: 1000,
  retry: retryPolicyDefault,
  timings: ownershipTimingsDefault,
  collector: collectorSettingsDefault,
});

/** @throws DefinitionError that names an option which is not usable */
export function workerSettings(options: WorkerOptions): WorkerSettings {
  const { windowMax } = { ...workerSettingsDefault, ...defined(options) };
  const settings = {
    ...workerSettingsDefault,
    keyWindowMax: Math.ceil(windowMax / 8),
    ...defined(options),
    retry: { ...retryPolicyDefault, ...defined(options.retry ?? {}) },
    timings: { ...ownershipTimingsDefault, ...defined(options.timings ?? {}) },
    collector: { ...collectorSettingsDefault, ...defined(options.collector ?? {}) },
  };
  requireOptions("Worker option ", settings, rules);
  const { keyWindowMax } = settings;
  if (keyWindowMax > windowMax) {
    throw new DefinitionError(
      `Worker option keyWindowMax is ${keyWindowMax}; it must be at most windowMax, ${windowMax}.`,
      { details: { keyWindowMax, windowMax } },
    );
  }
  requireRetryPolicy("Worker option retry.", settings.retry);
  requireOptions("Worker option timings.", settings.timings, timingRules);
  requireOptions("Worker option collector.", settings.collector, collectorRules);
  return settings;
}

const rules: OptionRules<WorkerOptions> = {
  windowMax: atLeastOne,
  windowBytesMax: atLeastOne,
  keyWindowMax: atLeastOne,
  messageBytesMax: atLeastOneOrInfinite,
  eventBytesMax: atLeastOneOrInfinite,
  handlersMax: atLeastOne,
  limitLeaseMs: { least: 1000 },
  runAheadMax: atLeastOne,
  activationsMax: atLeastOneOrInfinite,
  snapshotTurns: atLeastOneOrInfinite,
  snapshotBytes: atLeastOneOrInfinite,
  stateBytesMax: atLeastOneOrInfinite,
  hopsMax: atLeastOneOrInfinite,
  callDepthMax: atLeastOne,
  singlesMax: atLeastOne,
  groupsMax: atLeastOne,
  groupBytesMax: atLeastOne,
  floorIntervalMs: duration,
  handlersMaxByType: "other",
  retry: "other",
  timings: "other",
  collector: "other",
  id: "other",
  version: "other",
};

const timingRules: OptionRules<OwnershipTimings> = {
  heartbeatMs: duration,
  deadAfterMs: duration,
  joinDelayMs: delay,
  handoverTimeoutMs: delay,
};
