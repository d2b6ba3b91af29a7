/** Options of sending and publishing. */
import type { MessageOptions } from "./agent-calls.ts";

export interface SendOptions {
  /** Gives the call up; what was accepted by then stays accepted. */
  readonly signal?: AbortSignal;
}

export interface PublishOptions extends SendOptions, MessageOptions {}
