/**
 * Whether a message was sent before, after the log may have forgotten its id. The window of message
 * ids tells for young messages; an accepted one lies on its addressee's own subject for ever.
 */
import type { AgentId } from "../definition/message/address.ts";
import type { Position } from "../definition/message/input.ts";
import type { Log } from "./log.ts";

/** Whether a message of this time may be too old for the log to know its id. */
export function mayBeForgotten(log: Pick<Log, "limits" | "nowMs">, sentAtMs: number): boolean {
  return log.nowMs() - sentAtMs >= log.limits.idWindowMs / 4;
}

/** Position of the message with this id to the agent, if one lies after that position. */
export async function sentBefore(
  log: Pick<Log, "inputsOf">,
  agent: AgentId,
  id: string,
  from: Position,
): Promise<Position | undefined> {
  for (let after = from; ;) {
    const page = await log.inputsOf(agent, [], after, Number.MAX_SAFE_INTEGER, { firm: true });
    const found = page.find(({ metadata }) => metadata.id === id);
    if (found !== undefined) return found.position;
    const last = page.at(-1);
    if (last === undefined) return undefined;
    after = last.position;
  }
}
