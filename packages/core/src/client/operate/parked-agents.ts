/** The agents that are parked now: dead letters tell of them, their journals decide. */
import { agentName } from "../../definition/message/address.ts";
import type { Position } from "../../definition/message/input.ts";
import type { Troupe } from "../troupe.ts";
import { deadLetters, parkedCode, type PlacedLetter } from "./dead-letters.ts";
import { parkedAgent, waitingBehind, type ParkedAgent } from "./parked-agent.ts";

/** A parked agent, and what waits for it. */
export interface WaitingAgent extends ParkedAgent {
  /** Messages behind the one that failed; more than `waitingMax` for many. */
  readonly waiting: number;
  /** Position of the dead letter that tells of it. */
  readonly deadLetter: Position;
}

/**
 * Lists the agents that are parked now, in the order in which they were. @throws
 * LogUnavailableError
 *
 * @example
 * ```ts
 * for (const { agent, failure, waiting } of await parkedAgents(troupe)) {
 *   console.log(agent.type, agent.key, failure?.message, waiting);
 * }
 * ```
 */
export async function parkedAgents(
  troupe: Pick<Troupe, "follow" | "log">,
  signal?: AbortSignal,
): Promise<readonly WaitingAgent[]> {
  const newest = new Map<string, PlacedLetter>();
  for await (const letter of deadLetters(troupe, { codes: [parkedCode], signal })) {
    const { agent } = letter.deadLetter;
    if (agent !== undefined) newest.set(agentName(agent), letter);
  }
  const found: WaitingAgent[] = [];
  for (const { deadLetter, position } of newest.values()) {
    const { agent, inputPosition } = deadLetter;
    const parked = agent && (await parkedAgent(troupe.log, agent, inputPosition));
    if (parked === undefined) continue;
    const waiting = await waitingBehind(troupe.log, parked);
    found.push({ ...parked, waiting, deadLetter: position });
  }
  return found.toSorted((a, b) => a.revision - b.revision);
}
