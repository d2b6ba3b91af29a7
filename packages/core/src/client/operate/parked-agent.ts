/** Whether an agent is parked, as its journal says: the last park record decides. */
import type { AgentId } from "../../definition/message/address.ts";
import type { Position } from "../../definition/message/input.ts";
import { isResume } from "../../engine/mailbox/parking.ts";
import type { ErrorData } from "../../errors/troupe-error.ts";
import { decodeJournalRecord, type JournalRecord } from "../../journal/journal-record.ts";
import type { Log } from "../../log/log.ts";

export interface ParkedAgent {
  readonly agent: AgentId;
  /** The message that could not be handled. */
  readonly inputPosition: Position;
  readonly failure: ErrorData | undefined;
  /** Position of the record that says so, and when it was stored. */
  readonly revision: Position;
  readonly sinceMs: number;
}

/**
 * Looks into an agent's journal; undefined when it is not parked, as far as the records after a
 * position say. @throws LogUnavailableError
 *
 * @example
 * ```ts
 * const parked = await parkedAgent(troupe.log, { type: "account", key: "alice" });
 * if (parked !== undefined) console.log(parked.failure?.message);
 * ```
 */
export async function parkedAgent(
  log: Log,
  agent: AgentId,
  after: Position = 0,
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

/** The most that `waitingBehind` counts. */
export const waitingMax = 256;

/**
 * Counts the messages that wait behind the one that parked the agent; a number above `waitingMax`
 * stands for many. @throws LogUnavailableError
 *
 * @example
 * ```ts
 * const parked = await parkedAgent(troupe.log, { type: "account", key: "alice" });
 * if (parked !== undefined) console.log(await waitingBehind(troupe.log, parked));
 * ```
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
