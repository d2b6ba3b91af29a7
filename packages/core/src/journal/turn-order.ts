/**
 * The turns of a journal are numbered from 1, or from its base record on, without a gap. Where one
 * is missing, the journal lost records (a limit on its stream, a purge, a restore of parts), and
 * the later ones cannot be folded: the state would be wrong without anybody knowing.
 */
import type { EventPlace } from "../definition/event-version.ts";
import { JournalHoleError } from "../errors/journal-errors.ts";
import { agentName } from "../definition/message/address.ts";

/** Numbers of turns. */
export interface TurnNumbers {
  readonly expected: number;
  readonly found: number;
}

/**
 * The error to throw when a record is not the next turn of its journal, unless a base record comes
 * that needs nothing of what is missing.
 */
export function holeBefore(
  place: EventPlace,
  { expected, found }: TurnNumbers,
): JournalHoleError | undefined {
  if (found === expected) return undefined;
  const agent = agentName(place.agent);
  return new JournalHoleError(
    `The journal of ${agent} has a hole: turn ${expected} should come next, and at position ${place.position} is turn ${found}. ` +
      `Records were removed or lost, so its state is unknown and the agent waits. Restore the stream from a backup that has them, and see whether somebody set a limit (max_age, max_msgs) on it.`,
    { details: { agent, position: place.position, expected, found } },
  );
}
