/** A journal from some position to its end, with the next page on its way while one is used. */
import type { AgentId } from "../definition/message/address.ts";
import type { Position } from "../definition/message/input.ts";
import type { JournalEntry, Log, ReadOptions } from "./log.ts";

/** The records of an agent after `after` (0: all), in order; no page is empty. */
export async function* journalPages(
  log: Pick<Log, "journal">,
  agent: AgentId,
  after: Position,
  options: ReadOptions = {},
): AsyncGenerator<readonly JournalEntry[], void, undefined> {
  let coming = log.journal(agent, after, options);
  for (;;) {
    const page = await coming;
    const last = page.at(-1);
    if (last === undefined) return;
    coming = log.journal(agent, last.revision, options);
    // A reader that stops in the middle does not hear of it.
    coming.catch(() => undefined);
    yield page;
  }
}
