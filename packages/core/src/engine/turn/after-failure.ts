/** Reaction of an agent to a message that failed for good: it commits with the failure. */
import { TurnTooLargeError } from "../../errors/message-errors.ts";
import type { ErrorData } from "../../errors/troupe-error.ts";
import { agentName } from "../../definition/message/address.ts";
import type { UnreadHandler } from "../../definition/agent-definition.ts";
import { handedOut } from "../../wire/storable.ts";
import { ignore, isThenable } from "../../wire/thenable.ts";
import { TurnContext } from "./turn-context.ts";
import { messagesOf } from "./turn-size.ts";
import type { OpenTurn } from "./open-turn.ts";

/** @throws TurnTooLargeError, and what `onFailed` throws */
export function afterFailure(turn: OpenTurn, failure: ErrorData): void {
  const react = reactionOf(turn);
  if (react === undefined) return;
  const outcome: unknown = react(new TurnContext(turn), handedOut(failure) as ErrorData);
  if (isThenable(outcome)) {
    ignore(outcome);
    throw new Error("onFailed must not be asynchronous: send a message to do more.");
  }
  const { message } = turn;
  const { commitMessagesMax } = turn.host.log.limits;
  // The dead letter is one more.
  const messages = messagesOf(turn);
  if (messages < commitMessagesMax) return;
  throw new TurnTooLargeError(
    `onFailed of ${agentName(turn.agent)} for ${message} sends ${messages - 1} messages and timers, the limit is ${commitMessagesMax - 2}.`,
    { details: { agent: agentName(turn.agent), message, commitMessagesMax } },
  );
}

/**
 * Handler of this message's failure; for a message that cannot be read, only `onUnread` knows one.
 */
function reactionOf(turn: OpenTurn): UnreadHandler | undefined {
  try {
    const { definition, valid } = turn.decoded();
    if (!isThenable(valid)) {
      return (context, failure) => definition.onFailed?.(context, failure, valid);
    }
    ignore(valid);
  } catch {
    return turn.runtime.handlerOf(turn.message, turn.topic !== undefined)?.onUnread;
  }
  return undefined;
}
