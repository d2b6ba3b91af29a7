/** What the journal keeps of a finished turn. */
import type { ErrorData } from "../errors/troupe-error.ts";
import type { RecordedStep, StepIdentity } from "./recorded-step.ts";
import type { TurnRecord } from "./turn-record.ts";
import { recordedTimer } from "./turn-record.ts";
import type { Turn } from "./turn.ts";

interface TurnOutcome {
  readonly reply?: unknown;
  readonly failure?: ErrorData | undefined;
  /** Those that the journal does not have yet. */
  readonly steps?: readonly RecordedStep[] | undefined;
  readonly unused?: readonly StepIdentity[] | undefined;
}

export function recordOf(turn: Turn, { failure, reply, steps, unused }: TurnOutcome): TurnRecord {
  const { delivery, host } = turn;
  const { input } = delivery;
  return {
    turn: turn.number,
    inputPosition: input.position,
    messageId: turn.messageId,
    message: turn.message,
    topic: turn.topic,
    sender: input.metadata.sender,
    batch: turn.seat?.call.traceparent,
    events: turn.events,
    steps,
    unusedSteps: unused,
    outgoingIds: turn.outgoing.map((draft) => draft.metadata.id ?? ""),
    timers: turn.timers.length > 0 ? turn.timers.map(recordedTimer) : undefined,
    reply,
    failure,
    answering: turn.answering,
    attempts: delivery.attempts,
    traceparent: turn.traceparent,
    worker: host.worker,
    version: host.version,
    acceptedAtMs: input.acceptedAtMs,
    startedAtMs: turn.startedAtMs,
    tookMs: Math.round(turn.tookMs),
  };
}
