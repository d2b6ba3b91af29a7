/** An agent type as plain frozen data: the engine, replay and tools read only this. */
import type { BatchSettings } from "./batch-settings.ts";
import type { ErrorData } from "../errors/troupe-error.ts";
import type { RetryPolicy } from "./retry-policy.ts";
import type { RetentionOptions, TopicRetention } from "./retention-rule.ts";
import type { Migrations } from "./state-migration.ts";
import type { Schema } from "./schema.ts";
import type { EventDefinition } from "./event-version.ts";

/**
 * A handler without its types. Returns the reply or a promise of it; a batch handler, one per
 * message.
 */
export type Handler = (context: unknown, message: unknown) => unknown;

/** `onFailed` without its types. */
export type FailedHandler = (context: unknown, failure: ErrorData, message: unknown) => void;

/** `onUnread` without its types. */
export type UnreadHandler = (context: unknown, failure: ErrorData) => void;

/** Beginning with everything on the log, or with what is published from now on. */
export type SubscriptionStart = "beginning" | "now";

export interface MessageDefinition {
  readonly schema: Schema;
  /** Version of the message's shape, as turns record it. */
  readonly version: number;
  readonly handler: Handler;
  /** The fields that differ from the worker's policy. */
  readonly retry: Partial<RetryPolicy>;
  /** Handler of a message that failed for good; its context is a `FailureContext`. */
  readonly onFailed?: FailedHandler | undefined;
  /**
   * The same for a message that could not be read, such as one with more than `messageBytesMax`.
   * For agents of our own, whose messages say which facts they need from elsewhere.
   */
  readonly onUnread?: UnreadHandler | undefined;
  /** Position at which a subscription begins when its type is hosted for the first time. */
  readonly from?: SubscriptionStart | undefined;
  /** Set for a batch handler. */
  readonly batch?: BatchSettings | undefined;
  /** Retention of the topic that it subscribes to. @default everything is kept */
  readonly retention?: TopicRetention | undefined;
}

export interface AgentDefinition {
  readonly kind: "agent";
  readonly type: string;
  readonly initialState: unknown;
  /**
   * Grows when the state's shape or the fold changes: older snapshots are then not used, as when
   * the version of an event grows.
   */
  readonly stateVersion: number;
  /**
   * Functions by earlier version: each lifts a state whose events are not kept any more to the next
   * one.
   */
  readonly migrate?: Migrations | undefined;
  /** The retention of its agents. @default everything is kept */
  readonly keeps?: RetentionOptions | undefined;
  readonly events: Readonly<Record<string, EventDefinition>>;
  readonly messages: Readonly<Record<string, MessageDefinition>>;
  /** Message definitions by topic name. */
  readonly subscriptions: Readonly<Record<string, MessageDefinition>>;
}

/** Agents that belong together, such as those of a pipeline. */
export interface AgentGroup {
  readonly agents: readonly AgentDefinition[];
}

/** An agent type, or a group of them such as a pipeline: a worker can host either. */
export type Hostable = AgentDefinition | AgentGroup;
