/**
 * Answering later: a turn may leave its ask open, and a later turn of the same agent answers all
 * that are open. In between no handler runs and nothing waits (I11).
 *
 *  ANSWER-1 Both are part of the turns' records, so a search for the reply of an ask in the journal
 *     finds out whether it is still open, and finds its answer (ASK-2).
 *  ANSWER-2 An answer is for every ask of this agent that was left open before, also for those
 *     whose reply address the turn was not given: these find it in the journal. So a record that is
 *     too large with the addresses goes without.
 */
import type { ErrorData } from "../errors/troupe-error.ts";
import type { Reply } from "./reply.ts";

export interface Answering {
  /** The turn's own ask stays open. */
  readonly later: boolean;
  /** The turn answers the asks that are open, its own included. */
  readonly now?: LateAnswer | undefined;
}

export interface LateAnswer {
  /** Addresses at which askers wait. */
  readonly replyTo: readonly string[];
  /** Absent when the answer is the turn's own reply. */
  readonly failure?: ErrorData | undefined;
}

/** What a turn record says of answers. */
interface Answered {
  readonly answering?: Answering | undefined;
  readonly reply?: unknown;
}

/** The turn's answer to the open asks, if it has one. */
export function lateReplyOf({ answering, reply }: Answered): Reply | undefined {
  const now = answering?.now;
  if (now === undefined) return undefined;
  return now.failure === undefined ? { value: reply } : { failure: now.failure };
}

/** The record without the addresses: askers that wait there are not told, and find the answer. */
export function untold<Record extends Answered>(record: Record): Record {
  const { answering } = record;
  if (answering?.now === undefined) return record;
  return { ...record, answering: { ...answering, now: { ...answering.now, replyTo: [] } } };
}

export type WireAnswering = readonly [
  later: number,
  replyTo?: readonly string[],
  failure?: ErrorData,
];

export function wireAnswering({ later, now }: Answering): WireAnswering {
  const first = later ? 1 : 0;
  if (now === undefined) return [first];
  return now.failure === undefined ? [first, now.replyTo] : [first, now.replyTo, now.failure];
}

export function answeringOf([later, replyTo, failure]: WireAnswering): Answering {
  return { later: later === 1, now: replyTo === undefined ? undefined : { replyTo, failure } };
}
