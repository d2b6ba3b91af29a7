/** What an agent does about a message that failed for good: it commits with the failure. */
import { TurnTooLargeError } from "../errors/message-errors.ts";
import type { ErrorData } from "../errors/troupe-error.ts";
import { agentName } from "../log/address.ts";
import type { FailedHandler } from "../agent/agent-definition.ts";
import { TurnContext } from "./turn-context.ts";
import type { Turn } from "./turn.ts";

/** @throws TurnTooLargeError, and what `onFailed` throws */
export function afterFailure(turn: Turn, failure: ErrorData): void {
  const decoded = decodedMessage(turn);
  if (decoded?.onFailed === undefined) return;
  const outcome: unknown = decoded.onFailed(new TurnContext(turn), failure, decoded.message);
  if (outcome instanceof Promise) {
    outcome.catch(() => undefined);
    throw new Error("onFailed must not be asynchronous: send a message to do more.");
  }
  const { message } = turn;
  const { commitMessagesMax } = turn.host.log.limits;
  // The dead letter is one more.
  if (turn.messages < commitMessagesMax) return;
  throw new TurnTooLargeError(
    `onFailed of ${agentName(turn.agent)} for ${message} sends ${turn.messages - 1} messages and timers, the limit is ${commitMessagesMax - 2}.`,
    { details: { agent: agentName(turn.agent), message, commitMessagesMax } },
  );
}

/** The message and what is to be done, unless it is the message that cannot be read. */
function decodedMessage(
  turn: Turn,
): { readonly message: unknown; readonly onFailed: FailedHandler | undefined } | undefined {
  try {
    const { definition, valid } = turn.decoded();
    if (!(valid instanceof Promise)) return { message: valid, onFailed: definition.onFailed };
    valid.catch(() => undefined);
  } catch {
    // What cannot be read was never handled.
  }
  return undefined;
}
