/** Whether an agent is parked, as its journal says: the last park record decides. */
import { decodeJournalRecord, isResume } from "@troupe/core/operate";
import type { AgentId, ErrorData, Log, Position } from "@troupe/core/log";
import type { JournalRecord } from "@troupe/core/operate";

export interface ParkedAgent {
  readonly agent: AgentId;
  /** The message that could not be handled. */
  readonly inputPosition: Position;
  readonly failure: ErrorData | undefined;
  /** Position of the record that says so, and when it was stored. */
  readonly revision: Position;
  readonly sinceMs: number;
}

/** Undefined when the agent is not parked, as far as the records after a position say. */
export async function parkedAgent(
  log: Log,
  agent: AgentId,
  after: Position,
): Promise<ParkedAgent | undefined> {
  let parked: ParkedAgent | undefined;
  for (let last = after; ;) {
    const entries = await log.journal(agent, last, { firm: true });
    if (entries.length === 0) return parked;
    for (const { committedAtMs, record, revision } of entries) {
      last = revision;
      const decoded = readableRecord(record);
      if (decoded?.kind !== "park") continue;
      const { failure, inputPosition } = decoded.park;
      const stored = { agent, inputPosition, failure, revision, sinceMs: committedAtMs };
      parked = decoded.park.parked ? stored : undefined;
    }
  }
}

/** Largest number of waiting messages that is counted. */
export const waitingMax = 256;

/**
 * Counts the messages that wait behind the one that parked the agent; more than `waitingMax` for
 * many.
 */
export async function waitingBehind(log: Log, parked: ParkedAgent): Promise<number> {
  const { agent } = parked;
  const topics = (await log.manifest(agent.type))?.topics ?? [];
  let waiting = 0;
  for (let after = parked.inputPosition; waiting <= waitingMax;) {
    const inputs = await log.inputsOf(agent, topics, after, Number.MAX_SAFE_INTEGER, {
      firm: true,
    });
    const last = inputs.at(-1);
    if (last === undefined) break;
    after = last.position;
    waiting += inputs.filter((input) => input.fault === undefined && !isResume(input)).length;
  }
  return waiting;
}

/** Undefined for what a newer version wrote. */
export function readableRecord(record: Uint8Array): JournalRecord | undefined {
  try {
    return decodeJournalRecord(record);
  } catch {
    return undefined;
  }
}
