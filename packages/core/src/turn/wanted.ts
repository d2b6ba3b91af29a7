/**
 * Until when, and for whom, a message is worked on. An ask says it by its own deadline and reply
 * address; what a handler of our own sends on behalf of asks says it like this, so that a later
 * turn is given up as the ask's own turn is.
 */
import type { SendCalls } from "../agent/agent-calls.ts";
import type { AgentReference } from "../agent/agent-reference.ts";
import type { Metadata } from "../log/metadata.ts";

export interface Wanted {
  /** Milliseconds since the epoch; undefined means until it is done. */
  readonly deadlineMs: number | undefined;
  /** Reply addresses of all who want it; undefined when others do, too, or may. */
  readonly askers: readonly string[] | undefined;
}

/** What a handler of our own can do besides what `Context` offers. */
export interface WantedSends {
  /** Of the message that is being handled. */
  readonly wanted: Wanted;
  /** `send`, of a message that is given up when nobody wants it any more. */
  sendWanted<Messages>(
    wanted: Wanted,
    agent: AgentReference<Messages>,
    key: string,
  ): SendCalls<Messages, void>;
}

export function wantedOf({ askers, deadlineMs, replyTo }: Metadata): Wanted {
  return { deadlineMs, askers: replyTo === undefined ? askers : [replyTo] };
}
