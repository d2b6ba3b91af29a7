/**
 * The turn record: the one thing the journal stores, one per turn, on the agent's own subject.
 * State, audit, replay, traces and metrics are all derived from it. The bytes are in
 * turn-record-codec.ts, the table of the format in DESIGN.md.
 */
import type { ErrorData } from "../errors/troupe-error.ts";
import type { Position } from "../definition/message/input.ts";
import type { RecordedEvent } from "../definition/recorded-event.ts";
import type { Answering } from "./answering.ts";
import type { EarlierRun } from "./earlier-run.ts";
import type { InterceptorChanges } from "./interceptor-changes.ts";
import type { RecordedStep, StepIdentity } from "./recorded-step.ts";
import type { RecordedTimer, SentMessage } from "./sent-message.ts";

/** The call of a batch handler that a turn was part of. */
export interface RecordedBatch {
  /** W3C traceparent of the call, which the turns of all of its messages have. */
  readonly traceparent: string;
  /** The message's place among what the handler was given, from 0. */
  readonly index: number;
  /** Messages in the call. */
  readonly size: number;
  /** Time at which the handler was called, in milliseconds after the turn's start. */
  readonly startMs: number;
}

export interface TurnRecord {
  /** 1 for the agent's first turn; grows by one. */
  readonly turn: number;
  /**
   * The log that has the input, as the worker knew it (`Log.id`). It differs from the worker's own
   * log when that was made anew and the worker had not noticed yet, and is empty when nobody knows.
   */
  readonly log: string;
  /**
   * Position of the handled input: it grows from turn to turn (I2), so a duplicate is recognised by
   * it (I4).
   */
  readonly inputPosition: Position;
  readonly messageId: string;
  /** Message or topic name. */
  readonly message: string;
  /** Version of the message's shape, as it was declared then; absent means 1. */
  readonly messageVersion?: number | undefined;
  readonly topic?: string | undefined;
  readonly sender?: string | undefined;
  /** Set when a batch handler handled it. */
  readonly batch?: RecordedBatch | undefined;
  readonly events: readonly RecordedEvent[];
  /** Version of the state that the handler saw, as it was declared then; absent means 1. */
  readonly stateVersion?: number | undefined;
  /** Steps that were not recorded before the turn was; absent when there are none. */
  readonly steps?: readonly RecordedStep[] | undefined;
  /**
   * Steps that earlier runs recorded and the one that committed did not take; absent when there are
   * none. The handler went another way, or its inputs depend on chance.
   */
  readonly unusedSteps?: readonly StepIdentity[] | undefined;
  /** Messages and publications that were committed with the turn. */
  readonly sent: readonly SentMessage[];
  /** Timers that were set and cancelled with the turn; absent when there are none. */
  readonly timers?: readonly RecordedTimer[] | undefined;
  /** Key that made the digests in this record (`Digests.keyId`); absent when there are none. */
  readonly digestKey?: string | undefined;
  /** Return value of the handler; absent when the turn failed. */
  readonly reply?: unknown;
  readonly failure?: ErrorData | undefined;
  /** Set when its reply comes later, or when it answers earlier asks. */
  readonly answering?: Answering | undefined;
  /** Changes by interceptors; absent when they replaced nothing. */
  readonly changed?: InterceptorChanges | undefined;
  /** Handler runs it took; 0 when the message never reached the handler. */
  readonly attempts: number;
  /** The last runs that failed before this one, as far as the log knows; absent without any. */
  readonly earlierRuns?: readonly EarlierRun[] | undefined;
  /** Trace context of the turn's own span: the same in every run. */
  readonly traceparent: string;
  /** The span that its message was sent from, 16 hexadecimal digits; absent when nobody said. */
  readonly parentSpan?: string | undefined;
  /** Trace state as it came with the message. */
  readonly tracestate?: string | undefined;
  /** Traceparent of the turn that this one continues in a trace of its own. */
  readonly link?: string | undefined;
  readonly worker: string;
  /** Code version of the worker. */
  readonly version: string;
  /**
   * Time at which the log accepted the input, in milliseconds since the epoch, by the log's clock.
   */
  readonly acceptedAtMs: number;
  /** Time at which the worker got it: like all that follow by the worker's clock. */
  readonly receivedAtMs: number;
  /** Time at which the agent's journal was read; absent when it was in memory. */
  readonly activatedAtMs?: number | undefined;
  /** Time at which this worker first called the handler; absent when that was this run. */
  readonly firstStartedAtMs?: number | undefined;
  /** Time at which this run began. */
  readonly startedAtMs: number;
  /** Duration of the run, in milliseconds to the microsecond. */
  readonly tookMs: number;
}
