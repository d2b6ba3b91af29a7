/**
 * The inspection feed: typed lifecycle events of everything a process does. Telemetry, the command
 * line and the console subscribe to it; there is no second instrumentation. With no listener it
 * costs one comparison per event.
 */
import { thrownText } from "../../errors/thrown.ts";
import type { ErrorData } from "../../errors/troupe-error.ts";
import type { AgentId } from "../../definition/message/address.ts";
import type { Position } from "../../definition/message/input.ts";
import type { LogStatus } from "../../log/log.ts";
import type { TurnRecord } from "../../journal/turn-record.ts";

/** A step that waits for limits: why its turn does not go on. */
export interface LimitWait {
  readonly agent: AgentId;
  readonly inputPosition: Position;
  /** The step's unique name in its turn. */
  readonly step: string;
  /** All limits that it needs at once. */
  readonly limits: readonly string[];
  /** Time since when it waits, in milliseconds since the epoch. */
  readonly sinceMs: number;
  readonly traceparent: string;
}

export type InspectionEvent =
  | { readonly kind: "worker.started"; readonly worker: string; readonly types: readonly string[] }
  | { readonly kind: "worker.stopping"; readonly worker: string }
  | {
      readonly kind: "worker.stopped";
      readonly worker: string;
      /** Runs that ended without an outcome; the next owner runs their messages again. */
      readonly givenBack: number;
    }
  | { readonly kind: "worker.joined"; readonly worker: string }
  | { readonly kind: "worker.left"; readonly worker: string; readonly dead: boolean }
  | {
      readonly kind: "partition.taken";
      readonly type: string;
      readonly partition: number | "unroutable";
      readonly after: Position;
    }
  | {
      readonly kind: "partition.released";
      readonly type: string;
      readonly partition: number | "unroutable";
      readonly floor: Position;
    }
  | {
      readonly kind: "message.sent";
      readonly how: "send" | "ask" | "publish";
      readonly to: string;
      readonly id: string;
      readonly position: Position;
      readonly traceparent: string;
    }
  | {
      readonly kind: "agent.activated";
      readonly agent: AgentId;
      readonly turns: number;
      readonly tookMs: number;
    }
  | { readonly kind: "agent.passivated"; readonly agent: AgentId }
  | {
      readonly kind: "turn.started";
      readonly agent: AgentId;
      readonly inputPosition: Position;
      readonly message: string;
      readonly attempt: number;
      readonly traceparent: string;
    }
  | {
      readonly kind: "turn.retrying";
      readonly agent: AgentId;
      readonly inputPosition: Position;
      readonly attempt: number;
      readonly delayMs: number;
      readonly failure: ErrorData;
    }
  | {
      readonly kind: "turn.given-back";
      readonly agent: AgentId;
      readonly inputPosition: Position;
      readonly reason: ErrorData;
    }
  | {
      readonly kind: "turn.committed";
      readonly agent: AgentId;
      readonly record: TurnRecord;
      readonly revision: Position;
    }
  /** Effects happened that the run which committed did not take: its handler went another way. */
  | {
      readonly kind: "steps.unused";
      readonly agent: AgentId;
      readonly inputPosition: Position;
      readonly steps: readonly string[];
    }
  | {
      readonly kind: "batch.started";
      readonly type: string;
      /** The message's name, or the topic's. */
      readonly name: string;
      /** The call's own span. */
      readonly traceparent: string;
      readonly size: number;
      /** The traceparents of its messages' turns. */
      readonly links: readonly string[];
    }
  | {
      readonly kind: "batch.finished";
      readonly type: string;
      readonly name: string;
      readonly traceparent: string;
      readonly size: number;
      /** Messages that failed. */
      readonly failed: number;
      /** Error that the handler threw, if it did. */
      readonly failure: ErrorData | undefined;
      readonly tookMs: number;
    }
  | {
      readonly kind: "agent.parked";
      readonly agent: AgentId;
      readonly inputPosition: Position;
      readonly failure: ErrorData | undefined;
    }
  | {
      readonly kind: "agent.resumed";
      readonly agent: AgentId;
      readonly inputPosition: Position;
    }
  | {
      readonly kind: "snapshot.saved";
      readonly agent: AgentId;
      readonly turns: number;
      readonly bytes: number;
      readonly tookMs: number;
    }
  /** A base record was stored: the records before it may go when they are beyond the retention. */
  | {
      readonly kind: "base.stored";
      readonly agent: AgentId;
      /** Turns before it. */
      readonly turns: number;
      readonly revision: Position;
      readonly bytes: number;
    }
  /** Retention removed the beginning of a journal. */
  | {
      readonly kind: "journal.truncated";
      readonly agent: AgentId;
      /** Turns that cannot be replayed any more: all up to this one. */
      readonly turns: number;
      /** Records that went. */
      readonly records: number;
      /** Inputs that went. */
      readonly inputs: number;
      readonly tookMs: number;
    }
  /** Retention removed the beginning of all journals of a type at once. */
  | {
      readonly kind: "journals.truncated";
      readonly type: string;
      /** Position before which the type has no records any more. */
      readonly before: Position;
      /** Records that went. */
      readonly records: number;
      /** Inputs that went. */
      readonly inputs: number;
      /** The agent that keeps more of the type from going at once. */
      readonly heldBy: AgentId | undefined;
      /** Time that removing took, in milliseconds; reading the journals before it is not in it. */
      readonly tookMs: number;
    }
  | {
      readonly kind: "publications.removed";
      readonly topic: string;
      readonly before: Position;
      readonly inputs: number;
    }
  | (LimitWait & { readonly kind: "limit.waiting" })
  | (LimitWait & { readonly kind: "limit.granted"; readonly waitedMs: number })
  /** The turn was given up while it waited. */
  | (LimitWait & { readonly kind: "limit.abandoned"; readonly waitedMs: number })
  | { readonly kind: "turn.duplicate"; readonly agent: AgentId; readonly inputPosition: Position }
  | {
      readonly kind: "commit.stored";
      readonly turns: number;
      readonly messages: number;
      readonly tookMs: number;
    }
  | {
      readonly kind: "commit.failed";
      readonly agents: readonly AgentId[];
      readonly failure: ErrorData;
    }
  | {
      readonly kind: "reply.sent";
      readonly agent: AgentId;
      readonly inputPosition: Position;
      readonly recorded: boolean;
    }
  | {
      readonly kind: "dead-letter";
      readonly agent: AgentId | undefined;
      readonly inputPosition: Position;
      readonly failure: ErrorData;
    }
  | {
      readonly kind: "projection.started";
      readonly projection: string;
      readonly version: number;
      /** Position up to which everything was in the model already. */
      readonly after: Position;
    }
  /** Retention removed this agent's turns before that one before the projection read them. */
  | {
      readonly kind: "projection.begins";
      readonly projection: string;
      readonly agent: AgentId;
      /** The first turn that is there, or the next one. */
      readonly turn: number;
    }
  | {
      readonly kind: "projection.applied";
      readonly projection: string;
      readonly records: number;
      readonly events: number;
      readonly position: Position;
      /** Records still to be applied. */
      readonly lag: number;
      readonly tookMs: number;
    }
  | {
      readonly kind: "projection.retrying";
      readonly projection: string;
      readonly attempt: number;
      readonly delayMs: number;
      readonly failure: ErrorData;
    }
  | {
      readonly kind: "projection.skipped";
      readonly projection: string;
      readonly agent: AgentId;
      readonly position: Position;
      readonly failure: ErrorData;
    }
  | {
      readonly kind: "projection.stopped";
      readonly projection: string;
      readonly position: Position;
      /** Absent when it was asked to stop. */
      readonly failure?: ErrorData | undefined;
    }
  | { readonly kind: "log.status"; readonly status: LogStatus }
  | { readonly kind: "fault"; readonly what: string; readonly failure: ErrorData }
  | {
      readonly kind: "agent.log";
      readonly agent: AgentId;
      readonly level: "debug" | "info" | "warn" | "error";
      readonly message: string;
      readonly fields: Readonly<Record<string, unknown>>;
      readonly inputPosition: Position;
      readonly traceparent: string;
    };

export type InspectionListener = (event: InspectionEvent) => void;

/** A failure that no call reports. */
export type Fault = Extract<InspectionEvent, { readonly kind: "fault" }>;

export type FaultListener = (fault: Fault) => void;

export interface InspectionFeed {
  /** False when nobody listens: then do not even build the event. */
  readonly active: boolean;
  emit(event: InspectionEvent): void;
  /**
   * Hear every event; returns the function that ends it. A listener that throws is dropped from the
   * feed.
   *
   * @example
   * ```ts
   * const stop = feed.listen(({ kind }) => console.log(kind));
   * ```
   */
  listen(listener: InspectionListener): () => void;
}

/**
 * @param onFault hears every fault, also when nobody listens to the feed; it does not make the feed
 * active
 */
export function inspectionFeed(onFault: FaultListener = () => undefined): InspectionFeed {
  const listeners = new Set<InspectionListener>();
  return {
    get active() {
      return listeners.size > 0;
    },
    emit(event) {
      if (event.kind === "fault") tellFault(onFault, event);
      for (const listener of listeners) {
        // An observer must never change what it observes (nor end the worker).
        const failed = (cause: unknown): void => {
          if (!listeners.delete(listener)) return;
          process.emitWarning(`An inspection listener threw and was removed: ${thrownText(cause)}`);
        };
        try {
          const outcome: unknown = listener(event);
          // TypeScript lets an asynchronous function be a listener.
          if (outcome instanceof Promise) outcome.catch(failed);
        } catch (cause) {
          failed(cause);
        }
      }
    },
    listen(listener) {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
  };
}

function tellFault(onFault: FaultListener, fault: Fault): void {
  const failed = (cause: unknown): void =>
    process.emitWarning(`onFault threw: ${thrownText(cause)}, on ${fault.what}`);
  try {
    const outcome: unknown = onFault(fault);
    if (outcome instanceof Promise) outcome.catch(failed);
  } catch (cause) {
    failed(cause);
  }
}
