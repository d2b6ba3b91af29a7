/**
 * Whether an ask was made before, by a run of this turn in another process.
 *
 * An agent's effects begin on stored ground, so only the first turn after an activation can have
 * been begun by somebody else: whoever came before could not have begun a later one. And nobody who
 * came before can make it any more, because an ask is accepted only while the journal ends where
 * its asker knows (`fence`). What was accepted lies on the callee's own subject, after the asker's
 * input. The log's window of message ids tells the same for what is young; what may be older than
 * that is looked for.
 */
import type { AgentId } from "../../definition/message/address.ts";
import type { Position } from "../../definition/message/input.ts";
import { mayBeForgotten, sentBefore } from "../../log/sent-before.ts";
import type { Turn } from "./turn.ts";

export interface EarlierAsk {
  readonly agent: AgentId;
  readonly id: string;
}

/** Whether a message of this turn may be too old for the log to know its id. */
export function asksMayBeForgotten({ delivery, host: { log } }: Turn): boolean {
  return mayBeForgotten(log, delivery.input.acceptedAtMs);
}

/** Where the ask lies, if it is there. */
export function earlierAsk(
  { delivery, host: { log } }: Turn,
  { agent, id }: EarlierAsk,
): Promise<Position | undefined> {
  return sentBefore(log, agent, id, delivery.input.position);
}
