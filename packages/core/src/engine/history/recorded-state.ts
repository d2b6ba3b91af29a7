/**
 * The newest state of an agent that somebody has stored: in its snapshot, or in a base record of
 * its journal. For tools that have no definition: what came after it cannot be folded without one.
 */
import type { AgentId } from "../../definition/message/address.ts";
import { agentName } from "../../definition/message/address.ts";
import type { Position } from "../../definition/message/input.ts";
import { journalPages } from "../../log/journal-pages.ts";
import type { Log } from "../../log/log.ts";
import { Sealed } from "../../wire/sealed.ts";
import { openRecords } from "../personal/open-records.ts";
import { openedSnapshot } from "./sealed-state.ts";
import { decodeSnapshot, isTakenAfter, openSnapshot } from "./snapshot.ts";

export interface RecordedState {
  /** As the code that stored it had it. */
  readonly state: unknown;
  /** The turn after which it was so. */
  readonly turn: number;
  /** Position of the record after which it was so. */
  readonly position: Position;
  readonly from: "base" | "snapshot";
}

/** Undefined when nobody stored one, or the agent has none any more. */
export async function recordedState(log: Log, agent: AgentId): Promise<RecordedState | undefined> {
  const snapshot = await stateOfSnapshot(log, agent);
  const newest = await stateOfJournal(log, agent, snapshot?.position ?? 0);
  return newest === "gone" ? undefined : (newest ?? snapshot);
}

async function stateOfSnapshot(log: Log, agent: AgentId): Promise<RecordedState | undefined> {
  const bytes = await log.snapshot(agent);
  const name = agentName(agent);
  const kept = bytes && decodeSnapshot(bytes, name);
  if (kept === undefined || kept instanceof Error) return undefined;
  const record = (await log.at(kept.revision))?.payload;
  if (record === undefined || !isTakenAfter(kept, kept.revision, record)) return undefined;
  const closed = openSnapshot(kept, record, name);
  const open = closed instanceof Error ? undefined : await openedSnapshot(log, closed);
  if (open === undefined || open.ended !== undefined) return undefined;
  return { state: open.state, turn: open.turns, position: open.revision, from: "snapshot" };
}

/**
 * The last state that the journal holds after a position; "gone" after an end or an erasure,
 * undefined when there is none.
 */
async function stateOfJournal(
  log: Log,
  agent: AgentId,
  after: Position,
): Promise<RecordedState | "gone" | undefined> {
  let found: RecordedState | "gone" | undefined;
  for await (const page of journalPages(log, agent, after)) {
    for (const { entry, record } of await openRecords(log, page)) {
      if (record.kind === "tombstone") found = "gone";
      if (record.kind !== "base") continue;
      const { ended, state, turns: turn } = record.base;
      const isGone = ended !== undefined || state instanceof Sealed;
      found = isGone ? "gone" : { state, turn, position: entry.revision, from: "base" };
    }
  }
  return found;
}
