/**
 * What an operator does about a dead letter once its cause is gone, so that it may be begun by
 * many, broken off and begun again: the original is sent once, and the dead letter is removed after
 * that.
 *
 * The id of what is sent holds the dead letter's position, so the log itself recognises a second
 * one for as long as it remembers ids. What was sent longer ago lies on the agent's own subject,
 * behind the dead letter, and is looked for there.
 */
import type { AgentId } from "./address.ts";
import type { Accepted, Position } from "./input.ts";
import type { Log } from "./log.ts";
import type { Redrive } from "./redrive-draft.ts";
import { redriveDraft } from "./redrive-draft.ts";

/**
 * Sends the original of a dead letter again, unless that was done before, and removes the dead
 * letter. Returns where the message lies; undefined when the dead letter was not there any more.
 *
 * @throws LogUnavailableError: do it again, nothing is sent twice
 *
 * @example
 * ```ts
 * const original = await log.input(deadLetter.inputPosition, { firm: true });
 * if (original !== undefined) await redrive(log, { position, agent, original });
 * ```
 */
export async function redrive(log: Log, letter: Redrive): Promise<Accepted | undefined> {
  const { agent, position } = letter;
  const stored = await log.at(position);
  if (stored === undefined) return undefined;
  const draft = redriveDraft({ ...letter, log: log.id });
  const isForgotten = log.nowMs() - stored.storedAtMs >= log.limits.idWindowMs / 4;
  const earlier = isForgotten
    ? await sentBefore(log, agent, position, draft.metadata.id)
    : undefined;
  const sent = earlier ?? (await log.accept(draft));
  await log.removeDeadLetter(position);
  return sent;
}

async function sentBefore(
  log: Log,
  agent: AgentId,
  position: Position,
  id: string | undefined,
): Promise<Accepted | undefined> {
  for (let after = position; ;) {
    const page = await log.inputsOf(agent, [], after, Number.MAX_SAFE_INTEGER, { firm: true });
    const found = page.find(({ metadata }) => metadata.id === id);
    if (found !== undefined) return { position: found.position, duplicate: true };
    const last = page.at(-1);
    if (last === undefined) return undefined;
    after = last.position;
  }
}
