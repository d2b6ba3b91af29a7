/** The recorded turn of an input: how a lost reply is found again (I4). */
import type { AgentId } from "../log/address.ts";
import type { Position } from "../log/input.ts";
import type { CallOptions, Log } from "../log/log.ts";
import type { TurnRecord } from "./turn-record.ts";
import { decodeRecord } from "./turn-record.ts";

/** The turn that handled the input at `inputPosition`; a record always comes after its input, so the search starts there. */
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
      const record = decodeRecord(entry.record);
      if (record.inputPosition === inputPosition) return record;
      if (record.inputPosition > inputPosition) return undefined;
      after = entry.revision;
    }
    if (entries.length === 0) return undefined;
  }
}
