/** What an erasure has to know of a journal before it goes. */
import type { AgentId } from "../log/address.ts";
import type { Position } from "../log/input.ts";
import type { CallOptions, Log } from "../log/log.ts";
import { decodeJournalRecord } from "../turn/journal-record.ts";
import type { SentMessage } from "./erasure.ts";
import { sentShownMax } from "./erasure.ts";

export interface JournalScan {
  /** Position of the last record; 0 for none. */
  readonly revision: Position;
  /** Turns so far, erased ones too. */
  readonly turns: number;
  /** The last tombstone: where it lies, and up to where it says everything is done. */
  readonly tombstone: { readonly revision: Position; readonly inputPosition: Position } | undefined;
  readonly sentCount: number;
  readonly sent: readonly SentMessage[];
}

export const nothingScanned: JournalScan = Object.freeze({
  revision: 0,
  turns: 0,
  tombstone: undefined,
  sentCount: 0,
  sent: [],
});

/** The journal from where another scan ended. @throws LogUnavailableError */
export async function scanJournal(
  log: Log,
  agent: AgentId,
  before: JournalScan,
  { signal }: CallOptions,
): Promise<JournalScan> {
  let { revision, sentCount, tombstone, turns } = before;
  const sent = [...before.sent];
  for (;;) {
    const page = await log.journal(agent, revision, { firm: true, signal });
    if (page.length === 0) return { revision, turns, tombstone, sentCount, sent };
    for (const entry of page) {
      revision = entry.revision;
      const record = decodedOrNothing(entry.record);
      if (record?.kind === "tombstone") {
        turns = record.tombstone.turns;
        tombstone = { revision, inputPosition: record.tombstone.inputPosition };
      }
      if (record?.kind !== "turn") continue;
      turns = record.turn.turn;
      sentCount += record.turn.sent.length;
      for (const { id, to } of record.turn.sent) {
        if (sent.length < sentShownMax) sent.push({ to, id, position: revision });
      }
    }
  }
}

/** What cannot be read is erased all the same. */
function decodedOrNothing(record: Uint8Array): ReturnType<typeof decodeJournalRecord> | undefined {
  try {
    return decodeJournalRecord(record);
  } catch {
    return undefined;
  }
}
