/** Options of sending and publishing. */
import type { MessageOptions } from "./agent-calls.ts";

export interface SendOptions {
  /** Gives the call up; messages that were accepted by then stay accepted. */
  readonly signal?: AbortSignal;
}

export interface PublishOptions extends SendOptions, MessageOptions {}
