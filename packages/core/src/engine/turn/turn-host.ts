/** The parts of a worker that a turn and a mailbox need. */
import type { AgentReference } from "../../definition/agent-reference.ts";
import type { MessageDefinition } from "../../definition/agent-definition.ts";
import type { AnyBatchItem } from "../../definition/batch-context.ts";
import type { AgentId } from "../../definition/message/address.ts";
import type { Clock } from "../../clock/clock.ts";
import type { Random } from "../../clock/random.ts";
import type { InspectionFeed } from "../inspection/inspection-feed.ts";
import type { Interceptor } from "./interceptor.ts";
import type { Limiter } from "../limit/limiter.ts";
import type { Position } from "../../definition/message/input.ts";
import type { AcceptOptions, Log } from "../../log/log.ts";
import type { RetryPolicy } from "../../definition/retry-policy.ts";
import type { LogIdentity } from "../runtime/log-identity.ts";
import type { SuspectLane } from "../runtime/suspect-lane.ts";
import type { Permits } from "../runtime/permits.ts";
import type { Cancellations } from "../runtime/cancellations.ts";
import type { AskOptions } from "../../definition/context.ts";

/** The asker, for deadlines, trace context and call cycles. */
export interface AskOrigin {
  readonly sender: string;
  /** Deterministic per turn, so that a repeated turn repeats its asks under the same ids. */
  readonly id: string;
  readonly traceparent?: string | undefined;
  readonly tracestate?: string | undefined;
  readonly causationId: string | undefined;
  readonly correlationId: string | undefined;
  /** Agents that wait for this ask, outermost first, the asking agent last. */
  readonly callers: readonly string[];
  /** Number of hops, as in the metadata of a turn's messages. */
  readonly hops?: number | undefined;
  /** The asker's own deadline, if it has one. */
  readonly deadlineMs: number | undefined;
  /** Position of the ask when it is on the log already: only its reply is waited for. */
  readonly acceptedAt?: Position | undefined;
  /** Revision that the asker's journal must have for the ask to be accepted. */
  readonly fence?: AcceptOptions["fence"];
  /** Told where the ask lies. */
  readonly onAccepted?: (position: Position) => void;
}

export interface InterceptorLayers {
  readonly send: readonly NonNullable<Interceptor["send"]>[] | undefined;
  readonly publish: readonly NonNullable<Interceptor["publish"]>[] | undefined;
  readonly receive: readonly NonNullable<Interceptor["receive"]>[] | undefined;
  readonly commit: readonly NonNullable<Interceptor["commit"]>[] | undefined;
}

/** The gathering of messages for batch handlers. */
interface Batches {
  /** Takes a slot for a message; resolves with its reply. */
  join(
    turn: { readonly agent: AgentId },
    item: AnyBatchItem,
    definition: MessageDefinition,
  ): Promise<unknown>;
}

export interface TurnHost {
  readonly log: Log;
  readonly clock: Clock;
  readonly random: Random;
  readonly feed: InspectionFeed;
  readonly layers: InterceptorLayers;
  /** Told of every topic that is published on. */
  readonly audience: { published(topic: string): void };
  readonly worker: string;
  /** Identity of one start of the worker; the worker's id may be used again. */
  readonly session: string;
  readonly version: string;
  readonly limits: TurnLimits;
  readonly retry: RetryPolicy;
  readonly permits: Permits;
  /** The order of messages that may end the process; a turn that waits for an ask leaves it. */
  readonly suspects: Pick<SuspectLane, "leave">;
  readonly batches: Batches;
  readonly cancellations: Cancellations;
  readonly limiter: Limiter;
  /** Identity of the log, and the digests of the namespace. */
  readonly identity: Pick<LogIdentity, "digests" | "id">;
  ask(
    agent: AgentReference<unknown>,
    key: string,
    message: string,
    payload: unknown,
    options: AskOptions,
    origin: AskOrigin,
  ): Promise<unknown>;
}

export interface TurnLimits {
  /** Largest payload a handler gets, in bytes; larger ones become dead letters. */
  readonly messageBytesMax: number;
  /** Largest event a handler may emit, in bytes. */
  readonly eventBytesMax: number;
  /** Messages that are sent one out of the other. */
  readonly hopsMax: number;
  /** Nested asks. */
  readonly callDepthMax: number;
}
