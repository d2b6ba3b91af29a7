/**
 * Redriving a dead letter once its cause is gone, in a way that may be begun by
 * many, broken off and begun again: the original is sent once, and the dead letter is removed after
 * that.
 *
 * The id of what is sent holds the dead letter's position, so the log itself recognises a second
 * one for as long as it remembers ids. A message that was sent longer ago lies on the agent's own
 * subject, behind the dead letter, and is looked for there.
 */
import type { Accepted } from "../definition/message/input.ts";
import type { Log } from "./log.ts";
import type { Redrive } from "./redrive-draft.ts";
import { redriveDraft, redriveId } from "./redrive-draft.ts";
import { mayBeForgotten, sentBefore } from "./sent-before.ts";

/**
 * Sends the original of a dead letter again, unless that was done before, and removes the dead
 * letter. Returns where the message lies; undefined when the dead letter was not there any more.
 *
 * @throws LogUnavailableError: do it again, nothing is sent twice
 *
 * @example
 * ```ts
 * const agent = { type: "account", key: "alice" };
 * const original = await log.input(deadLetter.inputPosition, { firm: true });
 * if (original !== undefined) await redrive(log, { position, agent, original });
 * ```
 */
export async function redrive(log: Log, letter: Redrive): Promise<Accepted | undefined> {
  const { agent, position } = letter;
  const stored = await log.at(position);
  if (stored === undefined) return undefined;
  const draft = redriveDraft({ ...letter, log: log.id });
  const earlier = mayBeForgotten(log, stored.storedAtMs)
    ? await sentBefore(log, agent, redriveId(position), position)
    : undefined;
  const sent =
    earlier === undefined ? await log.accept(draft) : { position: earlier, duplicate: true };
  await log.removeDeadLetter(position);
  return sent;
}
