/** What a handler gets besides its message. */
import type { AgentReference } from "../agent/agent-reference.ts";
import type { AskCalls, SendCalls } from "../agent/agent-calls.ts";
import type { Position } from "../log/input.ts";
import type { Topic } from "../topic/topic.ts";

/** One function per event: it validates, folds at once, and the event commits with the turn. */
export type Emit<Events> = {
  readonly [Name in keyof Events]: (data: Events[Name]) => void;
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

/** What a step's function gets. */
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
  /** Give up after so many milliseconds; the turn is then tried again. @default no limit */
  readonly timeoutMs?: number;
}

export interface TurnLog {
  debug(message: string, fields?: Readonly<Record<string, unknown>>): void;
  info(message: string, fields?: Readonly<Record<string, unknown>>): void;
  warn(message: string, fields?: Readonly<Record<string, unknown>>): void;
  error(message: string, fields?: Readonly<Record<string, unknown>>): void;
}

export interface Context<State, Events> {
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
   * Do something with an effect outside of the log: a model call, a tool call, a payment. Its
   * result is recorded in the journal, and after a crash the recorded result returns and the
   * function does not run (I6). Steps are recognised by name and order of use, so both must not
   * depend on chance. A synchronous function costs no round trip.
   */
  step<Result>(
    name: string,
    effect: (step: StepInfo) => Result | Promise<Result>,
    options?: StepOptions,
  ): Promise<Result>;
  /** Milliseconds since the epoch; recorded, so the same in every run of this turn. */
  now(): number;
  /** A number from 0 up to but not 1; recorded. */
  random(): number;
  /** A random UUID (version 4); recorded. */
  id(): string;
  /** Send a message with this turn's commit (I3): it leaves only if the turn is committed. */
  send<Messages>(agent: AgentReference<Messages>, key: string): SendCalls<Messages, void>;
  /** Publish on a topic with this turn's commit (I3). */
  publish<Input, Output>(topic: Topic<Input, Output>, source: string, event: Input): void;
  /**
   * Ask another agent and wait for its reply. The ask leaves at once; asking an agent that
   * (indirectly) waits for this one fails with CallCycleError.
   */
  ask<Messages>(
    agent: AgentReference<Messages>,
    key: string,
    options?: AskOptions,
  ): AskCalls<Messages>;
}
