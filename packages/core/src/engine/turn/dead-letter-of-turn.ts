/** Dead letter of a message that a turn gave up. */
import type { ErrorData } from "../../errors/troupe-error.ts";
import type { DeadLetter } from "../../log/dead-letter.ts";
import type { OpenTurn } from "./open-turn.ts";

/**
 * Undefined for an ask that was rejected: the refusal is its answer, and nobody has to act. The
 * asker of a message that waited for a parked agent was told so, and hears nothing more.
 */
export function deadLetterOf(
  { agent, delivery }: Pick<OpenTurn, "agent" | "delivery">,
  failure: ErrorData,
): DeadLetter | undefined {
  const { attempts, input, waits } = delivery;
  const { address, metadata, payload, position } = input;
  const isHeard = metadata.replyTo !== undefined && waits !== true;
  if (failure.code === "rejected" && isHeard) return undefined;
  return {
    agent,
    inputPosition: position,
    // The address as people read it.
    origin: `${address.kind}/${address.name}/${address.key}`,
    failure,
    attempts,
    payload,
    contentType: metadata.contentType,
  };
}
