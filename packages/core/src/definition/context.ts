/** The context that a handler gets besides its message. */
import type { AgentReference, UntypedMessages } from "./agent-reference.ts";
import type { AskCalls, SendCalls } from "./agent-calls.ts";
import type { LimitUse } from "./limit.ts";
import type { Position } from "./message/input.ts";
import type { Topic } from "./topic.ts";

/** A function for each event: it validates, folds at once, and the event commits with the turn. */
export type Emit<Events> = {
  readonly [Name in keyof Events as Name & string]: (data: Events[Name]) => void;
};

/** Facts about the message being handled. */
export interface MessageInfo {
  readonly id: string;
  /** Message name, or topic name for a publication. */
  readonly name: string;
  readonly topic: string | undefined;
  readonly position: Position;
  /**
   * `type/key` of the sending agent or the name of the client; undefined for a foreign publisher.
   */
  readonly sender: string | undefined;
  readonly acceptedAtMs: number;
  /** Id of the timer that sent it, when it came from one: a timer of the sender. */
  readonly timer: string | undefined;
  /** 1 for the first try. */
  readonly attempt: number;
  /** W3C traceparent of this turn. */
  readonly traceparent: string;
}

export interface AskOptions {
  /**
   * Give up after so many milliseconds. @default 30000, or what is left of the asker's own deadline
   */
  readonly timeoutMs?: number;
  readonly signal?: AbortSignal;
}

/** Facts about a run of a step, for the step's function. */
export interface StepInfo {
  /**
   * The same in every run of this step, and different for every other step ever: give it to the
   * callee, so that an effect whose record was lost in a crash is not done twice.
   */
  readonly idempotencyKey: string;
  /** Aborted when the turn is given up. */
  readonly signal: AbortSignal;
}

export interface StepOptions {
  /**
   * Give up after so many milliseconds; the turn is then tried again. The time that it waits for a
   * limit does not count. @default no limit
   */
  readonly timeoutMs?: number;
  /**
   * Run only while all workers together stay within these limits. A recorded step takes nothing of
   * them. While it waits, the handler leaves its place to others.
   */
  readonly limit?: LimitUse | readonly LimitUse[];
  /**
   * Amount that the step takes from the rate of each limit that states no cost of its own. Minimum
   * 1. @default 1
   */
  readonly cost?: number;
}

/** Fields are storable values; anything else, such as an error, is told as text. */
export interface TurnLog {
  debug(message: string, fields?: Readonly<Record<string, unknown>>): void;
  info(message: string, fields?: Readonly<Record<string, unknown>>): void;
  warn(message: string, fields?: Readonly<Record<string, unknown>>): void;
  error(message: string, fields?: Readonly<Record<string, unknown>>): void;
}

export interface TimerOptions {
  /**
   * Names the timer among those of this agent; one of the same id is replaced. @default a new id
   */
  readonly id?: string;
}

/** Fate of a message that comes after the agent has ended. */
export type AfterEnd = "begin-again" | "refuse";

export interface EndOptions {
  /**
   * Fate of a message that comes after the end: the agent begins again, or the message becomes a
   * dead letter with `agent-ended` and its asker is told. @default "begin-again"
   */
  readonly later?: AfterEnd;
}

/** Target of a timer's message, when that is not the agent itself. */
export interface TimerTarget<Messages> extends TimerOptions {
  readonly agent: AgentReference<Messages>;
  readonly key: string;
}

/** Set a timer: the method is named after the message, and returns the timer's id. */
export interface SetTimerCalls<When, Own> {
  <Messages>(when: When, target: TimerTarget<Messages>): SendCalls<Messages, string>;
  (when: When, options?: TimerOptions): SendCalls<Own, string>;
}

/**
 * Do something with an effect outside of the log: a model call, a tool call, a payment. Its result
 * is recorded in the journal before the step resolves; after a crash the recorded result returns,
 * and the function does not run (I6).
 *
 * A step is known by its name and its input: `ctx.step("draft", { topic }, ({ topic }) =>
 * model.complete(topic))`. So it is the same step in whatever order a later run takes it. The n-th
 * of the same name and input is the n-th in every run. Without an input, steps of one name are told
 * apart by that alone: branches that run side by side need inputs, or names of their own.
 *
 * The function must not use the turn's context: emit and send after the step.
 * @throws AmbiguousStepError, InvalidStepError, ContextInStepError, StepTimeoutError
 */
export interface TakeStep {
  <Result>(
    name: string,
    effect: (step: StepInfo) => Result | PromiseLike<Result>,
    options?: StepOptions,
  ): Promise<Result>;
  <Input, Result>(
    name: string,
    input: Input,
    effect: (input: Input, step: StepInfo) => Result | PromiseLike<Result>,
    options?: StepOptions,
  ): Promise<Result>;
}

/**
 * `Own` are the messages a handler can send to its own agent by timer: those declared above it, and
 * its own.
 */
export interface Context<State, Events, Own = UntypedMessages> {
  /** The agent's type and key. */
  readonly agent: { readonly type: string; readonly key: string };
  /** The state with everything emitted so far in this turn. */
  readonly state: Readonly<State>;
  readonly emit: Emit<Events>;
  readonly message: MessageInfo;
  /** Aborted when the turn is given up: the worker stops, or another worker took over. */
  readonly signal: AbortSignal;
  /** Inspection-feed log lines with this turn's ids. */
  readonly log: TurnLog;
  /**
   * @example
   * ```ts
   * const answer = await ctx.step("draft", { topic: "tea" }, ({ topic }, { idempotencyKey }) =>
   *   model.complete(topic, idempotencyKey),
   * );
   * ```
   */
  readonly step: TakeStep;
  /**
   * Milliseconds since the epoch; recorded, so the same in every run of this turn.
   *
   * @example
   * ```ts
   * const dueMs = ctx.now() + 60_000;
   * ```
   */
  now(): number;
  /**
   * A number from 0 up to but not 1; recorded.
   *
   * @example
   * ```ts
   * const isSampled = ctx.random() < 0.01;
   * ```
   */
  random(): number;
  /**
   * A random UUID (version 4); recorded.
   *
   * @example
   * ```ts
   * const orderId = ctx.id();
   * ```
   */
  id(): string;
  /**
   * Send a message with this turn's commit (I3): it leaves only if the turn is committed.
   *
   * @example
   * ```ts
   * ctx.send(account, "bob").deposit({ amount: 5 });
   * ```
   */
  send<Messages>(agent: AgentReference<Messages>, key: string): SendCalls<Messages, void>;
  /**
   * Publish on a topic with this turn's commit (I3).
   *
   * @example
   * ```ts
   * ctx.publish(inquiries, "conversation-42", { text: "Where is my order?" });
   * ```
   */
  publish<Input, Output>(topic: Topic<Input, Output>, source: string, event: Input): void;
  /**
   * Send a message some milliseconds later: `ctx.after(60_000).remind({})` to this agent itself,
   * `ctx.after(60_000, { agent: account, key: "alice" }).remind({})` to another. The log keeps the
   * timer, committed with the turn (I3), so that nothing has to stay in memory, nor any worker
   * running, until it fires (I11).
   *
   * @example
   * ```ts
   * ctx.after(60_000, { agent: account, key: "bob", id: "later" }).deposit({ amount: 5 });
   * ```
   */
  readonly after: SetTimerCalls<number, Own>;
  /**
   * Send a message at a time; one that is over fires at once.
   *
   * @example
   * ```ts
   * ctx
   *   .at(new Date("2027-01-01T00:00:00Z"), { agent: account, key: "bob" })
   *   .deposit({ amount: 5 });
   * ```
   */
  readonly at: SetTimerCalls<Date | number, Own>;
  /**
   * Send a message again and again until the timer is cancelled, at intervals of whole seconds (at
   * least 1000 ms), give or take one second. Firings that fell into a time when the log was down
   * come at most once.
   *
   * @example
   * ```ts
   * const timer = ctx.every(3_600_000, { agent: account, key: "bob" }).deposit({ amount: 1 });
   * ```
   */
  readonly every: SetTimerCalls<number, Own>;
  /**
   * Cancel a timer of this agent with this turn's commit (I3). A firing that had begun before may
   * still arrive: a handler that must know looks at the state, or at `message.timer`.
   *
   * @example
   * ```ts
   * ctx.cancel("reminder");
   * ```
   */
  cancel(timerId: string): void;
  /**
   * The agent is done, with this turn's commit (I3): its state is gone, and retention may remove
   * its history. A later message makes it begin again from the initial state, with its turns
   * counted on; or is refused with `agent-ended`. Its timers are not cancelled: their messages come
   * after the end, too.
   *
   * @example
   * ```ts
   * ctx.end({ later: "refuse" });
   * ```
   */
  end(options?: EndOptions): void;
  /**
   * Ask another agent and wait for its reply. The ask leaves at once; asking an agent that
   * (indirectly) waits for this one fails with CallCycleError.
   *
   * @example
   * ```ts
   * const balance = await ctx.ask(account, "bob", { timeoutMs: 5000 }).deposit({ amount: 5 });
   * ```
   */
  ask<Messages>(
    agent: AgentReference<Messages>,
    key: string,
    options?: AskOptions,
  ): AskCalls<Messages>;
}
