/** The recorded reply to an input: how a lost one is found again (I4). */
import type { AgentId } from "../log/address.ts";
import type { Position } from "../log/input.ts";
import type { Log, ReadOptions } from "../log/log.ts";
import { lateReplyOf } from "./answering.ts";
import type { Reply } from "./reply.ts";
import { replyOf } from "./reply.ts";
import { decodeJournalRecord } from "./step-record.ts";

/**
 * The reply to the input at `inputPosition`; undefined when it is not handled yet, or to be
 * answered by a turn that is not there yet (D1). A record always comes after its input, so the
 * search starts there.
 */
export async function findReply(
  log: Log,
  agent: AgentId,
  inputPosition: Position,
  options: ReadOptions = {},
): Promise<Reply | undefined> {
  let after = inputPosition;
  let open = false;
  for (;;) {
    const entries = await log.journal(agent, after, options);
    for (const entry of entries) {
      after = entry.revision;
      const record = decodeJournalRecord(entry.record);
      if (record.kind !== "turn") continue;
      const { turn } = record;
      if (turn.inputPosition === inputPosition) {
        if (turn.answering?.later !== true) return replyOf(turn);
        open = true;
      } else if (!open && turn.inputPosition > inputPosition) return undefined;
      const late = open ? lateReplyOf(turn) : undefined;
      if (late !== undefined) return late;
    }
    if (entries.length === 0) return undefined;
  }
}
