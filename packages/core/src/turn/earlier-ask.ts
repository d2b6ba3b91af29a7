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
import type { AgentId } from "../log/address.ts";
import type { Position } from "../log/input.ts";
import type { Turn } from "./turn.ts";

export interface EarlierAsk {
  readonly agent: AgentId;
  readonly id: string;
}

/** Whether a message of this turn may be too old for the log to know its id. */
export function mayBeForgotten({ delivery, host: { log } }: Turn): boolean {
  return log.nowMs() - delivery.input.acceptedAtMs >= log.limits.idWindowMs / 4;
}

/** Where the ask lies, if it is there. */
export async function earlierAsk(
  { delivery, host: { log } }: Turn,
  { agent, id }: EarlierAsk,
): Promise<Position | undefined> {
  for (let after = delivery.input.position; ;) {
    const page = await log.inputsOf(agent, [], after, Number.MAX_SAFE_INTEGER, { firm: true });
    const found = page.find(({ metadata }) => metadata.id === id);
    if (found !== undefined) return found.position;
    const last = page.at(-1);
    if (last === undefined) return undefined;
    after = last.position;
  }
}
