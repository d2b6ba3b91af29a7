/**
 * A turn while it runs, as its parts see it: what the handler's run has made so far, and what it
 * may still do. The turn itself is in turn.ts; its parts know no more of it than this, so none of
 * them needs the whole.
 */
import type { MessageDefinition } from "../../definition/agent-definition.ts";
import type { EventPlace } from "../../definition/event-version.ts";
import type { AfterEnd } from "../../definition/context.ts";
import type { InputDraft } from "../../definition/message/input.ts";
import type { TimerChange } from "../../definition/message/timer.ts";
import type { PersonalNote } from "../../definition/personal.ts";
import type { RecordedEvent } from "../../definition/recorded-event.ts";
import type { RetryPolicy } from "../../definition/retry-policy.ts";
import type { AgentId } from "../../definition/message/address.ts";
import type { Answering } from "../../journal/answering.ts";
import type { EarlierRun } from "../../journal/earlier-run.ts";
import type { TurnRecord } from "../../journal/turn-record.ts";
import type { DeadLetter } from "../../log/dead-letter.ts";
import type { StateReferences } from "../personal/state-references.ts";
import type { AgentRuntime, EventSink } from "../runtime/agent-runtime.ts";
import type { Delivery } from "../runtime/delivery.ts";
import type { PermitHold } from "../runtime/permit-hold.ts";
import type { AskWaiters } from "./asks-under-way.ts";
import type { MakeAsk } from "./make-ask.ts";
import type { StepCall } from "./step-call.ts";
import type { TurnHost } from "./turn-host.ts";

/** Its steps, as its handler's context takes them. */
interface OpenSteps {
  run(call: StepCall, signal: AbortSignal): Promise<unknown>;
  ask(key: string, waiters: AskWaiters, ask: MakeAsk): Promise<unknown>;
  draw(name: string, value: () => unknown): unknown;
}

/** Its personal data, as far as it has to do with any. */
interface OpenSeals {
  /** Whether everything that is sealed in its message and its state was opened. */
  readonly isOpen: boolean;
  ready(): Promise<void> | undefined;
  asks(subject: string, digest: string): Promise<string>;
  draft(draft: InputDraft, note: PersonalNote, value: unknown): void;
}

/** The call of a batch handler, as a message sees it that sits in it. */
interface OpenCall {
  /** Fires when all of its messages are given up. */
  readonly signal: AbortSignal;
  readonly traceparent: string;
  /** Messages that the handler was given; 0 before that. */
  readonly size: number;
  /** Time at which the handler was called, in milliseconds since the epoch. */
  readonly startedAtMs: number;
  readonly running: boolean;
  readonly wanted: boolean;
  readonly permit: PermitHold;
  whenUnwanted(action: () => void): void;
  leave(slot: OpenSlot, reason?: unknown): void;
}

/** A message's place in a call of a batch handler. */
export interface OpenSlot {
  readonly call: OpenCall;
  /** Place among what the handler is given; -1 before that. */
  readonly index: number;
}

export interface OpenTurn extends EventSink {
  readonly host: TurnHost;
  readonly runtime: AgentRuntime;
  readonly agent: AgentId;
  readonly delivery: Delivery;
  /** Ordinal in the agent's journal, from 1. */
  readonly number: number;
  readonly messageId: string;
  /** Message name, or topic name for a publication. */
  readonly message: string;
  readonly topic: string | undefined;
  /** Declaration of its message; undefined when nobody handles it. */
  readonly definition: MessageDefinition | undefined;
  readonly retry: RetryPolicy;
  readonly traceparent: string;
  /** The span that its message was sent from. */
  readonly parentSpan: string | undefined;
  readonly startedAtMs: number;
  /** Milliseconds since this run began. */
  readonly tookMs: number;
  /** Runs that failed before this one, as far as is known; usually none. */
  readonly earlierRuns: readonly EarlierRun[];
  /** The agent has ended and handles nothing more. */
  readonly refuses: boolean;
  /** Its handler's run is over, or the turn is given up. */
  readonly ended: boolean;
  /** Given up while its batch goes on: what the handler does with it has no effect (BATCH-4). */
  readonly muted: boolean;

  /** The state with everything emitted so far. */
  readonly state: unknown;
  /** The state for the handler, in a batch with what it emitted for the turns before. */
  readonly visibleState: unknown;
  readonly events: RecordedEvent[];
  outgoing: InputDraft[];
  timers: TimerChange[];
  /** Of what it sends with sealed parts. */
  digests: Map<InputDraft, string> | undefined;
  /** Set when its reply comes later, or when it answers earlier asks. */
  answering: Answering | undefined;
  /** Set when the agent ends with this turn. */
  ends: AfterEnd | undefined;
  /** The base record that is stored right behind it when the agent ends (BASE-3). */
  readonly end: Uint8Array | undefined;
  readonly deadLetter: DeadLetter | undefined;
  /** Set when it is over. */
  readonly record: TurnRecord | undefined;
  /** The record's bytes. */
  readonly bytes: Uint8Array;
  /** Keys of the personal data in the state; undefined when there is none. */
  readonly references: StateReferences | undefined;

  readonly steps: OpenSteps;
  /** Steps whose effects are under way, asks included. */
  stepsUnderWay: number;
  readonly seals: OpenSeals;
  readonly sealsIfAny: OpenSeals | undefined;
  readonly permit: PermitHold;
  readonly slot: OpenSlot | undefined;
  /** The turn before it in the same batch. */
  readonly follows: { readonly slot: OpenSlot | undefined } | undefined;
  /** The batch in which the turn before it sits took no more: it waits for the next one. */
  missedBatch: boolean;

  /** @throws TurnEndedError, ContextInStepError */
  requireOpen(): void;
  /** @throws TurnEndedError */
  requireLive(): void;
  decoded(): { readonly definition: MessageDefinition; readonly valid: unknown };
  /** Where its events are until they are recorded. */
  place(): EventPlace;
  /** What is known of the agent is wrong: start again from its journal. */
  startAgain(): void;
  /** It did not run: it was given back before its handler had it, or runs again after others. */
  uncount(): void;
  /** From now on it waits for its batch: it needs no place of its own. */
  takeSlot(slot: OpenSlot): void;
}
