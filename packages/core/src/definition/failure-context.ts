/** What `onFailed` gets: what can be done at once, because it commits with the failure. */
import type { UntypedMessages } from "./agent-reference.ts";
import type { Context } from "./context.ts";

export type FailureContext<State, Events, Own = UntypedMessages> = Pick<
  Context<State, Events, Own>,
  | "after"
  | "agent"
  | "at"
  | "cancel"
  | "emit"
  | "every"
  | "log"
  | "message"
  | "publish"
  | "send"
  | "state"
>;
