/** The recorded turn of an input: how a lost reply is found again (I4). */
import type { AgentId } from "../log/address.ts";
import type { Position } from "../log/input.ts";
import type { CallOptions, Log } from "../log/log.ts";
import type { TurnRecord } from "./turn-record.ts";
import { decodeJournalRecord } from "./step-record.ts";

/**
 * The turn that handled the input at `inputPosition`; a record always comes after its input, so the
 * search starts there.
 */
export async function findTurn(
  log: Log,
  agent: AgentId,
  inputPosition: Position,
  options: CallOptions = {},
): Promise<TurnRecord | undefined> {
  let after = inputPosition;
  for (;;) {
    const entries = await log.journal(agent, after, options);
    for (const entry of entries) {
      after = entry.revision;
      const record = decodeJournalRecord(entry.record);
      if (record.kind !== "turn") continue;
      if (record.turn.inputPosition === inputPosition) return record.turn;
      if (record.turn.inputPosition > inputPosition) return undefined;
    }
    if (entries.length === 0) return undefined;
  }
}
