/**
 * Deadline and askers of a message: work on it ends when nobody wants the result any more. An ask
 * states them by its own deadline and reply address; a handler of our own states them like this
 * when it sends on behalf of asks, so that a later turn is given up as the ask's own turn is.
 */
import type { ErrorData } from "../errors/troupe-error.ts";
import type { SendCalls } from "./agent-calls.ts";
import type { AgentReference } from "./agent-reference.ts";
import type { Position } from "./message/input.ts";
import type { Metadata } from "./message/metadata.ts";

export interface Demand {
  /** Milliseconds since the epoch; undefined means until it is done. */
  readonly deadlineMs: number | undefined;
  /** Reply addresses of all who want it; undefined when others do, too, or may. */
  readonly askers: readonly string[] | undefined;
}

/** Sends that only our own handlers can do, besides those of `Context`. */
export interface DemandSends {
  /** Deadline and askers of the message that is being handled. */
  readonly demand: Demand;
  /** `send`, of a message that is given up when nobody wants it any more. */
  sendFor<Messages>(
    demand: Demand,
    agent: AgentReference<Messages>,
    key: string,
  ): SendCalls<Messages, void>;
}

/** Late answers that only our own handlers can give, besides the calls of `Context`. */
export interface LateReplies extends DemandSends {
  /**
   * Leave this ask open; returns where its asker waits, or undefined for a message that is no ask.
   */
  answerLater(): string | undefined;
  /** Answer the asks that are open: with this turn's reply, or with a failure. */
  answerNow(replyTo: readonly string[], failure?: ErrorData): void;
}

export function demandOf({ askers, deadlineMs, replyTo }: Metadata): Demand {
  return { deadlineMs, askers: replyTo === undefined ? askers : [replyTo] };
}

/** Whether this failure says that nobody wanted the turn at this position any more. */
export function saysGivenUp({ code, details }: ErrorData, position: Position): boolean {
  const isWord = code === "deadline-passed" || code === "ask-cancelled";
  return isWord && details?.["kept"] === false && details["position"] === position;
}
