/** The journal's record of a finished turn. */
import type { ErrorData } from "../../errors/troupe-error.ts";
import type { InputDraft } from "../../definition/message/input.ts";
import type { TimerChange } from "../../definition/message/timer.ts";
import { digestsOfTurn } from "./private-digests.ts";
import type { InterceptorChanges } from "../../journal/interceptor-changes.ts";
import type { RecordedStep, StepIdentity } from "../../journal/recorded-step.ts";
import type { RecordedTimer, SentMessage } from "../../journal/sent-message.ts";
import { addressText } from "../../journal/sent-message.ts";
import type { RecordedBatch, TurnRecord } from "../../journal/turn-record.ts";
import type { OpenTurn } from "./open-turn.ts";

interface TurnOutcome {
  readonly reply?: unknown;
  readonly failure?: ErrorData | undefined;
  /** Steps that the journal does not have yet. */
  readonly steps?: readonly RecordedStep[] | undefined;
  readonly unused?: readonly StepIdentity[] | undefined;
  readonly changed?: InterceptorChanges | undefined;
}

export function recordOf(turn: OpenTurn, outcome: TurnOutcome): TurnRecord {
  const { delivery, earlierRuns, host, runtime } = turn;
  const { firstStartedAtMs, input } = delivery;
  const { metadata } = input;
  const { changed, failure, reply, steps, unused } = outcome;
  return {
    turn: turn.number,
    log: host.identity.id,
    inputPosition: input.position,
    messageId: turn.messageId,
    message: turn.message,
    messageVersion: versionOf(turn.definition?.version),
    topic: turn.topic,
    sender: metadata.sender,
    batch: batchOf(turn),
    events: turn.events,
    stateVersion: versionOf(runtime.definition.stateVersion),
    steps,
    unusedSteps: unused,
    sent: turn.outgoing.length === 0 ? noMessages : turn.outgoing.map((draft) => sent(turn, draft)),
    timers: turn.timers.length > 0 ? turn.timers.map((change) => timer(turn, change)) : undefined,
    digestKey: hasDigests(turn, outcome) ? host.identity.digests.keyId : undefined,
    reply,
    failure,
    answering: turn.answering,
    changed,
    attempts: delivery.attempts,
    earlierRuns: earlierRuns.length > 0 ? earlierRuns : undefined,
    traceparent: turn.traceparent,
    parentSpan: turn.parentSpan,
    tracestate: metadata.tracestate,
    link: metadata.link,
    worker: host.worker,
    version: host.version,
    acceptedAtMs: input.acceptedAtMs,
    receivedAtMs: delivery.receivedAtMs,
    activatedAtMs: delivery.activatedAtMs,
    firstStartedAtMs: firstStartedAtMs === turn.startedAtMs ? undefined : firstStartedAtMs,
    startedAtMs: turn.startedAtMs,
    tookMs: turn.tookMs,
  };
}

const noMessages: readonly SentMessage[] = Object.freeze([]);

/** The first version is the usual one, and left out. */
function versionOf(version: number | undefined): number | undefined {
  return version === 1 ? undefined : version;
}

function batchOf({ slot, startedAtMs }: OpenTurn): RecordedBatch | undefined {
  if (slot === undefined || slot.index < 0) return undefined;
  const { size, startedAtMs: calledAtMs, traceparent } = slot.call;
  return { traceparent, index: slot.index, size, startMs: calledAtMs - startedAtMs };
}

function sent(turn: OpenTurn, draft: InputDraft): SentMessage {
  const { address, metadata, payload } = draft;
  const { id = "", message } = metadata;
  const to = addressText(address);
  const digest = turn.digests?.get(draft) ?? digestsOfTurn(turn).ofPayload(payload);
  return { to, id, message, digest };
}

function timer(turn: OpenTurn, change: TimerChange): RecordedTimer {
  if (change.kind === "cancel") return { id: change.id };
  return { id: change.id, ...change.time, sends: sent(turn, change.message) };
}

function hasDigests(
  { outgoing, timers }: OpenTurn,
  { changed, steps = [], unused = [] }: TurnOutcome,
): boolean {
  if (outgoing.length > 0 || timers.length > 0 || changed?.payload !== undefined) return true;
  return [...steps, ...unused].some(({ digest }) => digest !== undefined);
}
