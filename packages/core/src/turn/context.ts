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
  /** `type/key` of the sending agent or the name of the client; undefined for a foreign publisher. */
  readonly sender: string | undefined;
  readonly acceptedAtMs: number;
  /** 1 for the first try. */
  readonly attempt: number;
  /** W3C traceparent of this turn. */
  readonly traceparent: string;
}

export interface AskOptions {
  /** Give up after so many milliseconds. @default 30000, or what is left of the asker's own deadline */
  readonly timeoutMs?: number;
  readonly signal?: AbortSignal;
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
  /** Send a message with this turn's commit (I3): it leaves only if the turn is committed. */
  send<Messages>(agent: AgentReference<Messages>, key: string): SendCalls<Messages, void>;
  /** Publish on a topic with this turn's commit (I3). */
  publish<Input, Output>(topic: Topic<Input, Output>, source: string, event: Input): void;
  /**
   * Ask another agent and wait for its reply. The ask leaves at once; asking an agent that (indirectly) waits for this
   * one fails with CallCycleError.
   */
  ask<Messages>(
    agent: AgentReference<Messages>,
    key: string,
    options?: AskOptions,
  ): AskCalls<Messages>;
}
