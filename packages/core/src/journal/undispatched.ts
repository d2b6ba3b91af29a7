/** Messages of a journal's last turn that may not be stored yet (R2 in dispatch.ts). */
import type { InputDraft, Position } from "../definition/message/input.ts";
import type { JournalRecord } from "./journal-record.ts";

/** A turn whose record contains what it sends, when nothing says that this is stored. */
export interface Undispatched {
  readonly revision: Position;
  readonly inputPosition: Position;
  readonly drafts: readonly InputDraft[];
}

/** Follows the journal by one entry. */
export function undispatchedAfter(
  before: Undispatched | undefined,
  entry: JournalRecord,
  revision: Position,
): Undispatched | undefined {
  // An entry without a turn makes sure that nothing else is stored, unless it says more.
  if (entry.kind === "steps") return entry.steps.dispatched === true ? undefined : before;
  if (entry.kind !== "turn") return undefined;
  const { dispatched: drafts, inputPosition } = entry.turn;
  return drafts && { revision, inputPosition, drafts };
}
