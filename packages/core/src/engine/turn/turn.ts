/**
 * A turn: an input, the handler's run on a draft of the state, and the record and messages it
 * leaves to be committed.
 *
 * Nothing here touches the log. A turn that succeeds or fails for good becomes a record; a turn
 * that is given up leaves no trace, because events, messages and publications exist only in the
 * draft until the commit (I3).
 */
import type { MessageDefinition } from "../../definition/agent-definition.ts";
import type { EventPlace } from "../../definition/event-version.ts";
import type { BatchSlot } from "./batch-call.ts";
import { ItemContext } from "./batch-item.ts";
import type { TurnTimeoutError } from "../../errors/message-errors.ts";
import { errorData, type ErrorData } from "../../errors/troupe-error.ts";
import { agentName, type AgentId } from "../../definition/message/address.ts";
import type { DeadLetter } from "../../log/dead-letter.ts";
import type { InputDraft } from "../../definition/message/input.ts";
import type { TimerChange } from "../../definition/message/timer.ts";
import type { StateReferences } from "../personal/state-references.ts";
import { keysFor } from "./failing.ts";
import { digestsOfTurn } from "./private-digests.ts";
import { TurnSeals } from "./turn-seals.ts";
import { PermitHold } from "../runtime/permit-hold.ts";
import type { RetryPolicy } from "../../definition/retry-policy.ts";
import type { AgentState } from "./agent-state.ts";
import type { AfterEnd } from "../../definition/context.ts";
import type { Delivery } from "../runtime/delivery.ts";
import { validate } from "../../definition/schema.ts";
import { turnSpan } from "../../definition/message/turn-span.ts";
import { sealedMade } from "../../wire/sealed.ts";
import { promiseOf } from "../../wire/thenable.ts";
import type { AgentRuntime } from "../runtime/agent-runtime.ts";
import { afterFailure } from "./after-failure.ts";
import { untold, type Answering } from "../../journal/answering.ts";
import type { OpenTurn } from "./open-turn.ts";
import { deadLetterOf } from "./dead-letter-of-turn.ts";
import { storableFailure } from "../../journal/storable-failure.ts";
import { TurnContext } from "./turn-context.ts";
import { definitionOf, messageIn } from "../runtime/turn-input.ts";
import { TurnSteps, type StepStore } from "./turn-steps.ts";
import type { TurnHost } from "./turn-host.ts";
import { recordFits, requireEventFits, requireRecordFits } from "./turn-size.ts";
import { withRuns, type EarlierRun } from "../../journal/earlier-run.ts";
import { changesOf, type InterceptorChanges } from "../../journal/interceptor-changes.ts";
import { ReceiveChanges } from "./receive-changes.ts";
import type { RecordedStep } from "../../journal/recorded-step.ts";
import { recordOf } from "./record-of-turn.ts";
import { sealedRecord, storedReply } from "./sealed-record.ts";
import { requireOutsideStep } from "./step-scope.ts";
import { tellStarted, turnEnded, turnTimeout } from "./turn-told.ts";
import { encodeRecord } from "../../journal/turn-record-codec.ts";
import type { TurnRecord } from "../../journal/turn-record.ts";
import type { RecordedEvent } from "../../definition/recorded-event.ts";

export class Turn implements OpenTurn {
  readonly host: TurnHost;
  readonly runtime: AgentRuntime;
  readonly agent: AgentId;
  readonly delivery: Delivery;
  /** Ordinal in the agent's journal, from 1. */
  readonly number: number;
  readonly messageId: string;
  readonly traceparent: string;
  /** The span that its message was sent from. */
  readonly parentSpan: string | undefined;
  readonly startedAtMs: number;
  /** The state with everything emitted so far. */
  state: unknown;
  events: RecordedEvent[] = [];
  outgoing: InputDraft[] = [];
  timers: TimerChange[] = [];
  /** Digests of outgoing messages with sealed parts. */
  digests: Map<InputDraft, string> | undefined;
  /** Set when its reply comes later, or when it answers earlier asks. */
  answering: Answering | undefined;
  /** Set when the agent ends with this turn. */
  ends: AfterEnd | undefined;
  /** The base record that is stored right behind it when the agent ends (BASE-3). */
  end: Uint8Array | undefined;
  /** The agent has ended and handles nothing more. */
  readonly refuses: boolean;
  deadLetter: DeadLetter | undefined;
  /** Set by `complete` or `fail`. */
  record: TurnRecord | undefined;
  /** The record's bytes. */
  bytes: Uint8Array = noBytes;
  /** Keys of the personal data in the state; undefined when there is none. */
  references: StateReferences | undefined;
  #message: string;
  #stateBefore: unknown;
  /** Start of the turn on the clock that never goes back. */
  readonly #startedMs: number;
  #context: TurnContext | undefined;
  #eventBytes = 0;
  /** True once no event is emitted and no message sent any more. */
  #ended = false;
  #failing = false;
  readonly #stepStore: StepStore;
  #steps: TurnSteps | undefined;
  /** Steps that are recorded with the turn itself. */
  #pendingSteps: readonly RecordedStep[] | undefined;
  #permit: PermitHold | undefined;
  #received: ReceiveChanges | undefined;
  #changed: InterceptorChanges | undefined;
  readonly #attemptsBefore: number;
  /** Steps whose effects are under way, asks included. */
  stepsUnderWay = 0;
  /** Slot of the turn in the call of a batch handler. */
  slot: BatchSlot | undefined;
  /** The turn before it in the same batch. */
  readonly follows: Turn | undefined;
  /** The batch in which the turn before it sits took no more: it waits for the next one. */
  missedBatch = false;
  #seals: TurnSeals | undefined;
  /** The state that the turns of one agent in one batch see. */
  #shared: { state: unknown } | undefined;

  constructor(
    host: TurnHost,
    runtime: AgentRuntime,
    agent: AgentId,
    delivery: Delivery,
    draft: Pick<AgentState, "ended" | "references" | "state" | "turns">,
    stepStore: StepStore,
    follows?: Turn,
  ) {
    const { input } = delivery;
    this.#stepStore = stepStore;
    this.host = host;
    this.runtime = runtime;
    this.agent = agent;
    this.delivery = delivery;
    this.#attemptsBefore = delivery.attempts;
    this.number = draft.turns + 1;
    this.refuses = draft.ended === "refuse";
    this.messageId = input.metadata.id ?? `@${input.position}`;
    const { parent, traceparent } = turnSpan(input, host.identity.id, agent.type);
    this.traceparent = traceparent;
    this.parentSpan = parent;
    this.startedAtMs = host.clock.now();
    this.#startedMs = host.clock.monotonicMs();
    this.state = this.#stateBefore = draft.state;
    this.references = draft.references;
    this.follows = follows;
    this.#shared = follows?.share();
    this.#message = this.topic ?? input.metadata.message ?? "";
  }

  /** Message name, or topic name for a publication. */
  get message(): string {
    return this.#message;
  }

  /** Milliseconds since this run began. */
  get tookMs(): number {
    return this.host.clock.monotonicMs() - this.#startedMs;
  }

  get topic(): string | undefined {
    const { address, metadata } = this.delivery.input;
    return address.kind === "topic" ? address.name : metadata.topic;
  }

  /** Definition of its message; undefined when no handler is declared for it. */
  get definition(): MessageDefinition | undefined {
    return this.runtime.handlerOf(this.#message, this.topic !== undefined);
  }

  /** The worker's policy with what the message's declaration changes. */
  get retry(): RetryPolicy {
    const own = this.definition?.retry;
    return own === undefined ? this.host.retry : { ...this.host.retry, ...own };
  }

  /** Made at first use: most turns take no steps. */
  get steps(): TurnSteps {
    this.#steps ??= new TurnSteps(this, this.#stepStore);
    return this.#steps;
  }

  /** The state for the handler, in a batch with what it emitted for the turns before. */
  get visibleState(): unknown {
    return this.#shared === undefined ? this.state : this.#shared.state;
  }

  /** True when its handler's run is over, or the turn is given up. */
  get ended(): boolean {
    return this.#ended;
  }

  /** Given up while its batch goes on: the handler's work on it has no effect (BATCH-4). */
  get muted(): boolean {
    return this.#ended && this.slot?.call.running === true;
  }

  /** Runs that failed before this one, as far as is known; usually none. */
  get earlierRuns(): readonly EarlierRun[] {
    const known = this.#stepStore.earlierRunsOf(this);
    const { failedRuns } = this.delivery;
    return failedRuns === undefined ? known : withRuns(known, failedRuns);
  }

  /**
   * Decode, validate, handle. Returns the reply, or a promise of it when something in between is
   * asynchronous.
   */
  run(): unknown {
    const { definition, valid } = this.decoded();
    const later = promiseOf(valid);
    const outcome =
      later === undefined
        ? this.#handle(definition, valid)
        : later.then((value) => this.#handle(definition, value));
    if (this.#seals !== undefined) return this.#seals.afterRun(outcome);
    // While it goes on it may send somebody's data.
    return promiseOf(outcome)?.then((reply) => this.#seals?.afterRun(reply) ?? reply) ?? outcome;
  }

  /** The message as its schema makes it, or a promise of that, and its definition. */
  decoded(): { readonly definition: MessageDefinition; readonly valid: unknown } {
    const before = sealedMade();
    const { name, payload } = messageIn(this.delivery.input, this.host.limits.messageBytesMax);
    if (name !== undefined) this.#message = name;
    const isPersonal = sealedMade() !== before || this.runtime.personal;
    const definition = definitionOf(this.runtime, this.#message, this.topic !== undefined);
    const what = `${agentName(this.agent)}: message ${this.#message}`;
    if (!isPersonal) return { definition, valid: validate(definition.schema, payload, what) };
    const check = (value: unknown): unknown => validate(definition.schema, value, what);
    return { definition, valid: this.seals.opened(payload, check) };
  }

  /** The turn's seals, for personal data; most turns have none. */
  get seals(): TurnSeals {
    this.#seals ??= new TurnSeals(this);
    return this.#seals;
  }

  get sealsIfAny(): TurnSeals | undefined {
    return this.runtime.personal ? this.seals : this.#seals;
  }

  /** Starts the agent again from its journal, because what is known of it is wrong. */
  startAgain(): void {
    if (!this.#ended || this.#failing) this.#stepStore.lost();
  }

  event(event: RecordedEvent, bytes: number): void {
    this.requireOpen();
    if (this.muted) return;
    requireEventFits(this, event.type, { bytes, others: this.#eventBytes });
    const state = this.runtime.fold(this.visibleState, event, this.place());
    if (this.#shared === undefined) this.state = state;
    else this.#shared.state = state;
    this.events.push(event);
    this.#eventBytes += bytes;
  }

  /**
   * Refuses work after the handler's end, which would be in the state and not in the journal, and
   * work in the function of a step, which would be lost. @throws TurnEndedError, ContextInStepError
   */
  requireOpen(): void {
    if (this.#steps !== undefined) requireOutsideStep(this);
    if (!this.#ended || this.muted) return;
    this.requireLive();
  }

  /** Refuses work of a run that will not be stored any more. @throws TurnEndedError */
  requireLive(): void {
    if (!this.#ended) return;
    throw turnEnded(this);
  }

  /** The turns before it in its batch are sealed: this is the state that it starts from. */
  settleOn({ references, state }: AgentState): void {
    this.#stateBefore = state;
    this.references = references;
  }

  /**
   * The handler is done: make the record. @throws NotStorableError, TurnTooLargeError, or what a
   * commit interceptor throws
   */
  complete(reply: unknown): void {
    this.#steps?.tellUnderWay();
    this.#end();
    try {
      if (this.#shared !== undefined) this.#fold(this.events);
      this.#changed = this.#received?.changes(reply, false);
      this.#sealFitting(storedReply(this, reply), undefined);
    } catch (thrown) {
      // The next run must find what this one drew.
      if (this.#pendingSteps !== undefined) this.#steps?.putBack(this.#pendingSteps);
      throw thrown;
    }
  }

  /**
   * The turn failed for good: it keeps nothing of the draft, and the message becomes a dead letter,
   * unless it is an ask that was rejected. The handler of this failure (`onFailed`) commits with
   * it. Returns a promise when keys of personal data have to be read first: then its message is to
   * be failed again.
   */
  fail(thrown: unknown): Promise<void> | undefined {
    this.#end();
    this.#failing = true;
    this.#clear();
    const failure = storableFailure(errorData(thrown));
    this.#changed = this.#received?.changes(undefined, true);
    const keys = keysFor(this, thrown, () => this.#afterFailure(failure));
    if (keys !== undefined) this.#steps?.putBack(this.#pendingSteps ?? []);
    if (keys !== undefined) return keys;
    this.#sealFailure(failure);
    this.deadLetter = deadLetterOf(this, failure);
    return undefined;
  }

  /**
   * A failure has to be recorded whatever the interceptors make of it, or its message would block
   * the agent (I10).
   */
  #sealFailure(failure: ErrorData): void {
    try {
      this.#sealFitting(undefined, failure);
    } catch {
      this.#clear();
      const changed = this.#changed && changesOf(this.#changed);
      this.#keep(recordOf(this, { failure, steps: this.#pendingSteps, changed }));
    }
  }

  #afterFailure(failure: ErrorData): void {
    this.#ended = false;
    try {
      afterFailure(this, failure);
    } catch (thrown) {
      this.#clear();
      const what = `onFailed of ${agentName(this.agent)} for ${this.#message}`;
      this.host.feed.emit({ kind: "fault", what, failure: errorData(thrown) });
    } finally {
      this.#ended = true;
    }
  }

  /** The draft is what it was before the handler. */
  #clear(): void {
    this.#shared = undefined;
    this.state = this.#stateBefore;
    this.#eventBytes = 0;
    this.events = [];
    this.outgoing = [];
    this.timers = [];
    this.digests = undefined;
    this.answering = undefined;
    this.ends = undefined;
  }

  /**
   * The place of its handler while it waits; a batch has one for all of its turns (BATCH-5).
   */
  get permit(): PermitHold {
    this.#permit ??= this.slot?.call.permit ?? new PermitHold(this.host.permits);
    return this.#permit;
  }

  /** The handler is going to wait for something: it takes a place among those that do. */
  takePermit(): void {
    if (this.slot === undefined) this.permit.take();
  }

  /** Takes a slot in a batch: the turn needs no place of its own while it waits there. */
  takeSlot(slot: BatchSlot): void {
    this.#permit?.leave();
    this.#permit = slot.call.permit;
    this.slot = slot;
  }

  /** The handler returned or threw; its place is free. */
  leave(): void {
    this.#ended = true;
    if (this.slot === undefined) this.#permit?.leave();
    else this.slot.call.leave(this.slot);
  }

  /** Shares one state with the turn behind it in the same batch, while the handler runs. */
  share(): { state: unknown } {
    this.#shared ??= { state: this.state };
    return this.#shared;
  }

  /**
   * Error of a turn whose time is up. That counts as a run, also when it never came to the handler.
   */
  tooLong(timeoutMs: number): TurnTimeoutError {
    this.delivery.attempts = Math.max(this.delivery.attempts, this.#attemptsBefore + 1);
    if (this.slot !== undefined) this.delivery.alone = true;
    return turnTimeout(this, timeoutMs);
  }

  /** Tell the handler that its turn is given up. */
  abort(reason: unknown): void {
    this.#ended = true;
    this.#steps?.detach();
    this.#context?.abort(reason);
    this.slot?.call.leave(this.slot, reason);
  }

  /**
   * Takes back the count of a run that did not happen: the turn was given back before its handler
   * had it, or runs again after others.
   */
  uncount(): void {
    this.delivery.attempts = this.#attemptsBefore;
  }

  #end(): void {
    this.#ended = true;
    const pending = this.#steps?.takePending() ?? [];
    if (pending.length > 0) this.#pendingSteps = pending;
  }

  #handle(definition: MessageDefinition, payload: unknown): unknown {
    this.requireOpen();
    this.delivery.attempts += 1;
    this.delivery.firstStartedAtMs ??= this.startedAtMs;
    tellStarted(this);
    const isIntercepted = this.host.layers.receive !== undefined;
    if (definition.batch === undefined) {
      const context = new TurnContext(this);
      this.#context = context;
      if (!isIntercepted) return definition.handler(context, payload);
      return this.#intercepted(context, payload, (inner) => {
        // An interceptor may have taken its time.
        this.requireLive();
        return definition.handler(context, inner);
      });
    }
    const item = new ItemContext(this);
    this.#context = item;
    if (!isIntercepted) return this.#join(definition, item, payload);
    return this.#intercepted(item, payload, (inner) => this.#join(definition, item, inner));
  }

  #intercepted(
    context: TurnContext,
    payload: unknown,
    handle: (payload: unknown) => unknown,
  ): unknown {
    const { message, signal } = context;
    const batch = context instanceof ItemContext;
    const call = { agent: this.agent, message, payload, signal, batch };
    this.#received = new ReceiveChanges(digestsOfTurn(this));
    return this.#received.through(this.host.layers.receive ?? [], call, handle);
  }

  #join(definition: MessageDefinition, item: ItemContext, payload: unknown): Promise<unknown> {
    this.requireLive();
    item.data = payload;
    return this.host.batches.join(this, item, definition);
  }

  /** @throws TurnTooLargeError, or what a commit interceptor throws */
  #sealFitting(reply: unknown, failure: ErrorData | undefined): void {
    this.#seal(reply, failure);
    if (this.record !== undefined && !recordFits(this)) this.#keep(untold(this.record));
    requireRecordFits(this);
  }

  #seal(reply: unknown, failure: ErrorData | undefined): void {
    this.#seals?.sealDrafts();
    const unused = failure === undefined ? this.#steps?.unused : undefined;
    const made = { steps: this.#pendingSteps, unused, changes: this.#changed };
    this.#keep(sealedRecord(this, { reply, failure, ...made }, (events) => this.#fold(events)));
  }

  /** The state is what was before, and these events. */
  #fold(events: readonly RecordedEvent[]): void {
    const place = this.place();
    let state = this.#stateBefore;
    for (const event of events) state = this.runtime.fold(state, event, place);
    this.state = state;
  }

  /** Place of its events until they are recorded. */
  place(): EventPlace {
    return { agent: this.agent, position: this.delivery.input.position };
  }

  #keep(record: TurnRecord): void {
    const seals = this.sealsIfAny;
    this.bytes = encodeRecord(seals?.record(record) ?? record);
    this.record = record;
    if (seals !== undefined) this.references = seals.references(this.references);
  }
}

const noBytes = new Uint8Array(0);
