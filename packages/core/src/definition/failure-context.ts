/**
 * The context of `onFailed`: it offers only what can be done at once, because all of it commits
 * with the failure.
 */
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
