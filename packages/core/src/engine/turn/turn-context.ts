/**
 * The `ctx` of a running turn. A class, because one is made per turn and its methods should cost
 * nothing.
 */
import { callsProxy } from "../../definition/agent-calls.ts";
import type { AskCalls, SendCalls } from "../../definition/agent-calls.ts";
import type { AgentReference } from "../../definition/agent-reference.ts";
import { throughLayers } from "./interceptor.ts";
import type { OutgoingCall } from "./interceptor.ts";
import { keyToToken } from "../../definition/message/key-token.ts";
import type { Address, AgentId } from "../../definition/message/address.ts";
import { agentName } from "../../definition/message/address.ts";
import type { InputDraft } from "../../definition/message/input.ts";
import type { Metadata } from "../../definition/message/metadata.ts";
import type { TimerTime } from "../../definition/message/timer.ts";
import { DefinitionError } from "../../errors/definition-errors.ts";
import { PayloadTooLargeError } from "../../errors/log-errors.ts";
import type { ErrorData } from "../../errors/troupe-error.ts";
import type { Topic } from "../../definition/topic.ts";
import type { PersonalNote } from "../../definition/personal.ts";
import { digestsOfTurn } from "./private-digests.ts";
import { noteOfMessage, noteOfTopic, subjectOfAsk } from "../personal/sealing.ts";
import { encodePayload } from "../../wire/payload.ts";
import { handedOut, stored } from "../../wire/storable.ts";
import { ignore, isThenable } from "../../wire/thenable.ts";
import { randomUuid } from "../../clock/random-uuid.ts";
import type { LateReplies } from "../../definition/demand.ts";
import type {
  AskOptions,
  Context,
  EndOptions,
  Emit,
  MessageInfo,
  TimerOptions,
  TimerTarget,
  TurnLog,
} from "../../definition/context.ts";
import { afterEnd, requireAskOptions, requireTimerOptions } from "./call-options.ts";
import { deadlineMsOf } from "./given-up.ts";
import { stepCall } from "./step-call.ts";
import { requireOutsideStep } from "./step-scope.ts";
import { requireTimerId, timeAfter, timeAt, timeEvery } from "./timer-time.ts";
import { loggedFields } from "./log-fields.ts";
import { checkedMessage, checkedPublication, fromInterceptors } from "./outgoing-payload.ts";
import type { AskOrigin } from "./turn-host.ts";
import { nextHop } from "./hops.ts";
import { ofWaiting } from "./of-waiting.ts";
import { requireRoomToSend } from "./turn-size.ts";
import type { MakeAsk } from "./make-ask.ts";
import type { OpenTurn } from "./open-turn.ts";
import type { Demand } from "../../definition/demand.ts";
import { demandOf } from "../../definition/demand.ts";

interface AskCall {
  readonly agent: AgentReference<unknown>;
  readonly key: string;
  readonly message: string;
  readonly payload: unknown;
  readonly options: AskOptions;
}

type TimerTo<Messages> = TimerOptions & Partial<TimerTarget<Messages>>;

export class TurnContext implements Context<unknown, Record<string, unknown>>, LateReplies {
  readonly #turn: OpenTurn;
  #emit: Emit<Record<string, unknown>> | undefined;
  #abort: AbortController | undefined;
  /** The state as it was last, and the handler's copy of it. */
  #state: { readonly kept: unknown; readonly given: object } | undefined;

  constructor(turn: OpenTurn) {
    this.#turn = turn;
  }

  get agent(): AgentId {
    return this.#turn.agent;
  }

  get state(): Readonly<object> {
    const kept = this.#turn.visibleState;
    if (this.#state !== undefined && this.#state.kept === kept) return this.#state.given;
    const given = handedOut(kept) as object;
    // Most states are frozen altogether, and need no copy.
    if (given !== kept) this.#state = { kept, given };
    return given;
  }

  get emit(): Emit<Record<string, unknown>> {
    this.#emit ??= this.#turn.runtime.emitTo(this.#turn);
    return this.#emit;
  }

  get message(): MessageInfo {
    const { input, attempts } = this.#turn.delivery;
    return {
      id: this.#turn.messageId,
      name: this.#turn.message,
      topic: this.#turn.topic,
      position: input.position,
      sender: input.metadata.sender,
      acceptedAtMs: input.acceptedAtMs,
      timer: input.metadata.timer,
      attempt: attempts,
      traceparent: this.#turn.traceparent,
    };
  }

  get signal(): AbortSignal {
    this.#abort ??= new AbortController();
    return this.#abort.signal;
  }

  get log(): TurnLog {
    return {
      debug: (message, fields) => this.#log("debug", message, fields),
      info: (message, fields) => this.#log("info", message, fields),
      warn: (message, fields) => this.#log("warn", message, fields),
      error: (message, fields) => this.#log("error", message, fields),
    };
  }

  /** @throws ContextInStepError */
  requireOutsideStep(): void {
    requireOutsideStep(this.#turn);
  }

  abort(reason: unknown): void {
    this.#abort ??= new AbortController();
    this.#abort.abort(reason);
  }

  get demand(): Demand {
    return demandOf(this.#turn.delivery.input.metadata);
  }

  send<Messages>(agent: AgentReference<Messages>, key: string): SendCalls<Messages, void> {
    return this.sendFor(undefined, agent, key);
  }

  sendFor<Messages>(
    demand: Demand | undefined,
    agent: AgentReference<Messages>,
    key: string,
  ): SendCalls<Messages, void> {
    return callsProxy<SendCalls<Messages, void>>((message, given) => {
      const payload = checkedMessage(agent, message, given);
      const address: Address = { kind: "agent", name: agent.type, key };
      const call: OutgoingCall = { how: "send", address, message, payload, from: this.#name() };
      this.#send(call, noteOfMessage(agent, message), demand);
    });
  }

  publish<Input, Output>(topic: Topic<Input, Output>, source: string, event: Input): void {
    const payload = checkedPublication(topic, event);
    const address: Address = { kind: "topic", name: topic.name, key: source };
    const call: OutgoingCall = {
      how: "publish",
      address,
      message: undefined,
      payload,
      from: this.#name(),
    };
    const { audience, layers } = this.#turn.host;
    audience.published(topic.name);
    const note = noteOfTopic(topic);
    refusePromise(throughLayers(layers.publish, call, (inner) => this.#add(inner, note)));
  }

  after<Messages>(delayMs: number, options?: TimerTo<Messages>): SendCalls<Messages, string> {
    const { delivery, host } = this.#turn;
    // By the clock of the log, which fires it; it is not earlier than the input of this turn.
    const nowMs = Math.max(host.log.nowMs(), delivery.input.acceptedAtMs);
    return this.#timer(timeAfter(delayMs, nowMs), options);
  }

  at<Messages>(time: Date | number, options?: TimerTo<Messages>): SendCalls<Messages, string> {
    return this.#timer(timeAt(time), options);
  }

  every<Messages>(intervalMs: number, options?: TimerTo<Messages>): SendCalls<Messages, string> {
    return this.#timer(timeEvery(intervalMs), options);
  }

  cancel(timerId: string): void {
    this.#turn.requireOpen();
    requireTimerId(timerId);
    if (this.#turn.muted) return;
    requireRoomToSend(this.#turn);
    this.#turn.timers.push({ kind: "cancel", id: timerId });
  }

  end(options: EndOptions = {}): void {
    this.#turn.requireOpen();
    if (!this.#turn.muted) this.#turn.ends = afterEnd(options);
  }

  answerLater(): string | undefined {
    const turn = this.#turn;
    turn.requireOpen();
    turn.answering = { ...turn.answering, later: true };
    return turn.delivery.input.metadata.replyTo;
  }

  answerNow(replyTo: readonly string[], failure?: ErrorData): void {
    const turn = this.#turn;
    turn.requireOpen();
    turn.answering = { later: false, ...turn.answering, now: { replyTo, failure } };
  }

  ask<Messages>(
    agent: AgentReference<Messages>,
    key: string,
    options: AskOptions = {},
  ): AskCalls<Messages> {
    requireAskOptions(options);
    return callsProxy<AskCalls<Messages>>((message, payload) => {
      const answer = this.#ask({ agent, key, message, payload, options });
      // Of two that are asked perhaps only one is awaited (STEP-7).
      answer.catch(() => undefined);
      return answer;
    });
  }

  async #ask({ agent, key, message, payload, options }: AskCall): Promise<unknown> {
    const { host, slot, steps } = this.#turn;
    const callee = { type: agent.type, key };
    const given = stored(payload, `A message for ${agent.type}`);
    let digest = digestsOfTurn(this.#turn).of(given);
    const subject = subjectOfAsk(agent, message, { callee, payload: given });
    if (subject !== undefined) digest = await this.#turn.seals.asks(subject, digest);
    const waiters = { run: slot?.call.signal ?? this.signal, handler: options.signal };
    // Recorded like any other effect: after a crash the reply returns, and nobody is asked again.
    const asking = steps.run(
      {
        name: `~ask ${agentName(callee)} ${message}`,
        digest,
        kind: "ask",
        options: {},
        effect: ({ idempotencyKey: id }) => {
          const origin = this.#askOrigin(id);
          const ask: MakeAsk = {
            earlier: { agent: callee, id },
            make: ({ signal, ...of }) => {
              const how = { ...origin, ...of };
              return host.ask(agent, key, message, payload, { ...options, signal }, how);
            },
          };
          return steps.ask(id, waiters, ask);
        },
      },
      this.signal,
    );
    return whileStepping(this.#turn, asking);
  }

  #askOrigin(idempotencyKey: string): AskOrigin {
    const { delivery, messageId, traceparent } = this.#turn;
    const { metadata } = delivery.input;
    const name = this.#name();
    return {
      sender: name,
      id: idempotencyKey,
      traceparent,
      tracestate: metadata.tracestate,
      causationId: messageId,
      correlationId: metadata.correlationId ?? messageId,
      callers: [...(metadata.callers ?? []), name],
      hops: nextHop(this.#turn),
      deadlineMs: deadlineMsOf(delivery),
    };
  }

  step<Result>(name: string, ...rest: readonly unknown[]): Promise<Result> {
    const call = stepCall(name, rest, digestsOfTurn(this.#turn));
    const step = this.#turn.steps.run(call, this.signal) as Promise<Result>;
    return whileStepping(this.#turn, step);
  }

  now(): number {
    return this.#turn.steps.draw("~now", () => this.#turn.host.clock.now()) as number;
  }

  random(): number {
    return this.#turn.steps.draw("~random", () => this.#turn.host.random()) as number;
  }

  id(): string {
    return this.#turn.steps.draw("~id", () => randomUuid(this.#turn.host.random)) as string;
  }

  #send(call: OutgoingCall, note: PersonalNote | undefined, demand: Demand | undefined): void {
    const { send } = this.#turn.host.layers;
    refusePromise(throughLayers(send, call, (inner) => this.#add(inner, note, demand)));
  }

  #timer<Messages>(time: TimerTime, options: TimerTo<Messages> = {}): SendCalls<Messages, string> {
    requireTimerOptions(options as TimerTo<never>);
    const { agent = this.#turn.runtime.definition, key = this.agent.key, id } = options;
    if (id !== undefined) requireTimerId(id);
    return callsProxy<SendCalls<Messages, string>>((message, given) => {
      const payload = checkedMessage(agent, message, given);
      const { delivery, host, timers } = this.#turn;
      const timer = id ?? `@${delivery.input.position}.${timers.length}`;
      const address: Address = { kind: "agent", name: agent.type, key };
      const call: OutgoingCall = { how: "send", address, message, payload, from: this.#name() };
      const add = (inner: OutgoingCall): void => {
        const own = this.#metadata(inner, `t${timers.length}`);
        const metadata = { ...own, timer, ...ofWaiting(time, host.clock, own) };
        const draft = this.#draft(inner, noteOfMessage(agent, message), metadata);
        if (this.#turn.muted) return;
        timers.push({ kind: "set", id: timer, time, message: draft, isNew: id === undefined });
      };
      refusePromise(throughLayers(host.layers.send, call, add));
      return timer;
    });
  }

  #add(call: OutgoingCall, note: PersonalNote | undefined, demand?: Demand): void {
    const own = this.#metadata(call, `${this.#turn.outgoing.length}`);
    const metadata = demand === undefined ? own : { ...own, ...demand };
    const draft = this.#draft(call, note, metadata);
    if (!this.#turn.muted) this.#turn.outgoing.push(draft);
  }

  #draft(call: OutgoingCall, note: PersonalNote | undefined, metadata: Metadata): InputDraft {
    this.#turn.requireOpen();
    requireRoomToSend(this.#turn);
    keyToToken(call.address.key);
    const payload = encodePayload(call.payload, fromInterceptors);
    const { payloadBytesMax } = this.#turn.host.log.limits;
    if (payload.byteLength > payloadBytesMax) throw tooLarge(call, payload, payloadBytesMax);
    const draft: InputDraft = { address: call.address, metadata, payload };
    if (note === undefined) return draft;
    // Once it is sealed nobody can make its digest.
    this.#turn.digests ??= new Map();
    this.#turn.digests.set(draft, digestsOfTurn(this.#turn).ofPayload(payload));
    this.#turn.seals.draft(draft, note, call.payload);
    return draft;
  }

  #metadata(call: OutgoingCall, name: string): Metadata {
    const { delivery, messageId, traceparent } = this.#turn;
    return {
      id: `${this.#outgoingId()}:${name}`,
      message: call.message,
      contentType: "application/msgpack",
      traceparent,
      tracestate: delivery.input.metadata.tracestate,
      sender: this.#name(),
      causationId: messageId,
      correlationId: delivery.input.metadata.correlationId ?? messageId,
      hops: nextHop(this.#turn),
    };
  }

  /**
   * Ids are a function of the turn, so that a repeated turn makes the same ones. An input has one
   * agent per type, so the key need not be in them.
   */
  #outgoingId(): string {
    return `${this.#turn.agent.type}@${this.#turn.delivery.input.position}`;
  }

  #name(): string {
    return agentName(this.#turn.agent);
  }

  #log(
    level: "debug" | "info" | "warn" | "error",
    message: string,
    fields: Readonly<Record<string, unknown>> = {},
  ): void {
    const { agent, delivery, host, traceparent } = this.#turn;
    if (!host.feed.active) return;
    const inputPosition = delivery.input.position;
    host.feed.emit({
      kind: "agent.log",
      agent,
      level,
      message,
      fields: loggedFields(fields),
      inputPosition,
      traceparent,
    });
  }
}

/** An effect of the turn is under way until the step settles. */
function whileStepping<Result>(turn: OpenTurn, step: Promise<Result>): Promise<Result> {
  turn.stepsUnderWay += 1;
  const over = (): void => void (turn.stepsUnderWay -= 1);
  // The result of `finally` is not used, because nobody may await that (STEP-7).
  step.then(over, over);
  return step;
}

/** Refuses a promise: the work that an interceptor does later would come after the turn. */
function refusePromise(outcome: unknown): void {
  if (!isThenable(outcome)) return;
  ignore(outcome);
  throw new DefinitionError(
    "An interceptor of send or publish is asynchronous, but inside a turn it must not be: there `call.from` is set.",
  );
}

function tooLarge(call: OutgoingCall, payload: Uint8Array, bytesMax: number): PayloadTooLargeError {
  const { kind, name, key } = call.address;
  return new PayloadTooLargeError(
    `A message for ${kind} ${name}/${key} has ${payload.byteLength} bytes, the log's limit is ${bytesMax}: send a reference instead.`,
    { details: { address: call.address, bytes: payload.byteLength, bytesMax } },
  );
}
