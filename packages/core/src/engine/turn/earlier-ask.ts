/**
 * Whether an ask was made before, by a run of this turn in another process.
 *
 * An agent's effects begin on stored ground, so only the first turn after an activation can have
 * been begun by an earlier owner, which could not have begun a later one. That owner cannot make
 * the ask any more, because an ask is accepted only while the journal ends where its asker knows
 * (`fence`). An accepted ask lies on the callee's own subject, after the asker's input. The log's
 * window of message ids tells the same for a young ask; one that may be older than that is looked
 * for.
 */
import type { Position } from "../../definition/message/input.ts";
import { mayBeForgotten, sentBefore } from "../../log/sent-before.ts";
import type { EarlierAsk } from "./make-ask.ts";
import type { OpenTurn } from "./open-turn.ts";

/** Whether a message of this turn may be too old for the log to know its id. */
export function asksMayBeForgotten({ delivery, host: { log } }: OpenTurn): boolean {
  return mayBeForgotten(log, delivery.input.acceptedAtMs);
}

/** Position of the ask, if it is on the log. */
export function earlierAsk(
  { delivery, host: { log } }: OpenTurn,
  { agent, id }: EarlierAsk,
): Promise<Position | undefined> {
  return sentBefore(log, agent, id, delivery.input.position);
}
