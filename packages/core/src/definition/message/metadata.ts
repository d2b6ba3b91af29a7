/**
 * Facts that travel beside a payload, in message headers: identity, trace context, the way back and
 * the deadline. Every field is optional because any client may publish a bare payload.
 */

import type { ContentType } from "../../wire/payload.ts";

export interface Metadata {
  /**
   * Set on what a foreign client wrote (I14). Such a message has an id of its own kind, the name of
   * its message, a content type, trace context and an address for the reply; all else that it said
   * about itself was left out, because nobody can vouch for it.
   */
  readonly foreign?: boolean | undefined;
  /**
   * Message id, chosen by the sender; publishing the same id again within the log's window stores
   * nothing new.
   */
  readonly id?: string | undefined;
  /**
   * Name of the message for an agent, such as `deposit`. Absent for topics, and for bare JSON that
   * names it itself.
   */
  readonly message?: string | undefined;
  /**
   * Topic of a publication that is sent to one agent alone. The agent's subscription handles it.
   */
  readonly topic?: string | undefined;
  /** Absent means JSON. */
  readonly contentType?: ContentType | undefined;
  /** W3C trace context: version-traceid-parentid-flags. */
  readonly traceparent?: string | undefined;
  readonly tracestate?: string | undefined;
  /**
   * Traceparent of a turn that this message continues in a trace of its own: of a redrive, and of a
   * timer that waits for minutes. Then it has no trace context.
   */
  readonly link?: string | undefined;
  /** `type/key` of the sending agent, or the client's name. */
  readonly sender?: string | undefined;
  /** Id of the message whose turn sent this one. */
  readonly causationId?: string | undefined;
  /** Id of the first message of the conversation. */
  readonly correlationId?: string | undefined;
  /**
   * Number of messages that came before this one, each sent, published or asked by the turn of the
   * one before. A timer of a second or more begins anew.
   */
  readonly hops?: number | undefined;
  /** Address for the reply: an inbox of the asker, opaque to everybody else. */
  readonly replyTo?: string | undefined;
  /** Time from which nobody waits for the reply any more, by the log's clock (`Log.nowMs`). */
  readonly deadlineMs?: number | undefined;
  /**
   * Reply addresses of the asks for which it is sent, when it is no ask itself: it is given up when
   * all of them are.
   */
  readonly askers?: readonly string[] | undefined;
  /** Id of the timer that sent it, among the timers of the sender. */
  readonly timer?: string | undefined;
  /**
   * The agents (`type/key`) that wait for this ask, outermost first: how a call cycle is
   * recognised.
   */
  readonly callers?: readonly string[] | undefined;
}
