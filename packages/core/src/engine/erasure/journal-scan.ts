/** Facts about a journal that an erasure has to know before the journal goes. */
import type { AgentId } from "../../definition/message/address.ts";
import type { Position } from "../../definition/message/input.ts";
import type { CallOptions, Log } from "../../log/log.ts";
import type { JournalRecord } from "../../journal/journal-record.ts";
import { decodeJournalRecord } from "../../journal/journal-record.ts";
import type { TombstoneRecord } from "../../journal/tombstone-record.ts";
import type { SentMessage } from "./erasure.ts";
import { sentShownMax } from "./erasure.ts";

/** The last tombstone, and its position. */
export interface Tombstone extends Pick<TombstoneRecord, "erasedAtMs" | "inputPosition"> {
  readonly revision: Position;
}

export interface JournalScan {
  /** Position of the last record; 0 for none. */
  readonly revision: Position;
  /** Turns so far, erased ones too. */
  readonly turns: number;
  /** The furthest input that was handled, or whose turn has begun: it has had effects. */
  readonly lastInput: Position;
  readonly tombstone: Tombstone | undefined;
  readonly sentCount: number;
  readonly sent: readonly SentMessage[];
}

export const nothingScanned: JournalScan = Object.freeze({
  revision: 0,
  turns: 0,
  lastInput: 0,
  tombstone: undefined,
  sentCount: 0,
  sent: [],
});

export interface ScanOptions extends CallOptions {
  /** The last record to look at. @default the journal's last one */
  readonly until?: Position;
}

/** The journal from where another scan ended. @throws LogUnavailableError */
export async function scanJournal(
  log: Log,
  agent: AgentId,
  before: JournalScan,
  { signal, until = Infinity }: ScanOptions,
): Promise<JournalScan> {
  let { lastInput, revision, sentCount, tombstone, turns } = before;
  const sent = [...before.sent];
  for (;;) {
    const all = await log.journal(agent, revision, { firm: true, signal });
    const page = all.filter((entry) => entry.revision <= until);
    if (page.length === 0) return { revision, turns, lastInput, tombstone, sentCount, sent };
    for (const entry of page) {
      revision = entry.revision;
      const record = decodedOrNothing(entry.record);
      if (record === undefined) continue;
      const inputPosition = inputOf(record);
      // One that comes after its record was in a lost tail (I16).
      if (inputPosition < revision) lastInput = Math.max(lastInput, inputPosition);
      if (record.kind === "tombstone") {
        turns = record.tombstone.turns;
        tombstone = { revision, inputPosition, erasedAtMs: record.tombstone.erasedAtMs };
      }
      if (record.kind === "base") ({ turns } = record.base);
      if (record.kind !== "turn") continue;
      turns = record.turn.turn;
      sentCount += record.turn.sent.length;
      for (const { id, to } of record.turn.sent) {
        if (sent.length < sentShownMax) sent.push({ to, id, position: revision });
      }
    }
  }
}

function inputOf(record: JournalRecord): Position {
  if (record.kind === "turn") return record.turn.inputPosition;
  if (record.kind === "steps") return record.steps.inputPosition;
  if (record.kind === "base") return record.base.lastInput;
  return (record.kind === "park" ? record.park : record.tombstone).inputPosition;
}

/** The decoded record; undefined for one that cannot be read, which is erased all the same. */
function decodedOrNothing(record: Uint8Array): JournalRecord | undefined {
  try {
    return decodeJournalRecord(record);
  } catch {
    return undefined;
  }
}
