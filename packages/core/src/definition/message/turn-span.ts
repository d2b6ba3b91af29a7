/**
 * The span of a turn, from its input alone.
 *
 * Below the context that its message brought; without one it is the root of a trace that follows
 * from the log and the position. A message that an operator sends again, or that comes from a timer
 * that waited long, begins a trace of its own: it names the turn that it continues (`link`), and a
 * reader of that turn's record finds the new trace with `traceIdOf`, so the link goes both ways.
 */
import type { Input } from "./input.ts";
import { spanIdOf, traceIdOf } from "./span-ids.ts";
import { parseTraceparent } from "./trace-context.ts";

export interface TurnSpan {
  /** W3C traceparent of the turn. */
  readonly traceparent: string;
  /** The span that its message was sent from, if it is known; 16 hexadecimal digits. */
  readonly parent: string | undefined;
}

/** The part of an input that its turn's span follows from. */
export type TracedInput = Pick<Input, "metadata" | "position">;

/** @param log the id of the input's log, as records have it; @param type of the agent */
export function turnSpan({ metadata, position }: TracedInput, log: string, type: string): TurnSpan {
  const context = parseTraceparent(metadata.traceparent);
  if (context !== undefined) {
    const { flags, spanId: parent, traceId } = context;
    const traceparent = `00-${traceId}-${spanIdOf(traceId, position, type)}-${flags}`;
    return { traceparent, parent };
  }
  const { id, link } = metadata;
  const traceId = link === undefined ? traceIdOf(log, position) : continuedTraceId(link, id);
  const traceparent = `00-${traceId}-${spanIdOf(traceId, position, type)}-01`;
  return { traceparent, parent: undefined };
}

/**
 * The trace in which the message of this id continues a turn: of a redrive `redrive:<dead letter>`.
 *
 * @param link traceparent of the turn
 */
export function continuedTraceId(link: string, messageId: string | undefined): string {
  return traceIdOf(`${link}/${messageId ?? ""}`, 0);
}
