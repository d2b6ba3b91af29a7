/**
 * Redriving: the original of a dead letter is sent once more, to the one agent that could not
 * handle it.
 *
 * A publication was for every agent type that subscribes to its topic, and the others have handled
 * it. So it goes to the agent itself, with the topic beside it. The id holds the dead letter's
 * position: within the log's window a repeated redrive stores nothing new.
 *
 * The message begins a trace of its own, because that of the original ended long ago, and names the
 * turn that failed. A reader of that turn finds the new trace: `continuedTraceId` of its
 * traceparent and the id.
 */
import type { AgentId } from "../definition/message/address.ts";
import { turnSpan } from "../definition/message/turn-span.ts";
import type { Input, InputDraft, Position } from "../definition/message/input.ts";

export interface Redrive {
  /** Position of the dead letter on the log. */
  readonly position: Position;
  /** The agent that could not handle the original. */
  readonly agent: AgentId;
  readonly original: Input;
  /**
   * The log's identity, as `Log.id` says it: then the new trace names the turn that failed also
   * when the original had no trace context. @default unknown
   */
  readonly log?: string;
}

/** The message that redrives a dead letter, for `Log.accept`. Nobody waits for its reply. */
export function redriveDraft({ position, agent, original, log }: Redrive): InputDraft {
  const { address, metadata, payload } = original;
  const { message, contentType, sender, causationId, correlationId, timer, foreign } = metadata;
  const isTraced = metadata.traceparent !== undefined || log !== undefined;
  const failed = turnSpan(original, log ?? "", agent.type);
  return {
    address: { kind: "agent", name: agent.type, key: agent.key },
    metadata: {
      id: redriveId(position),
      topic: address.kind === "topic" ? address.name : metadata.topic,
      message,
      contentType,
      link: isTraced ? failed.traceparent : undefined,
      sender,
      causationId,
      correlationId,
      timer,
      // An operator sends it again, and vouches for nothing in it.
      foreign,
    },
    payload,
  };
}

/** The same for every redrive of a dead letter, so that the log recognises a second one. */
export function redriveId(position: Position): string {
  return `redrive:${position}`;
}
