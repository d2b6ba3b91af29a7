/**
 * Lists the workers that live: they announce themselves twice a second, so a little listening hears
 * them all.
 */
import { setTimeout as pause } from "node:timers/promises";
import type { Log, Presence } from "@troupe/core/log";

/** A living worker and the partitions it holds, by agent type. */
export interface LivingWorker {
  readonly worker: string;
  readonly holds: Readonly<Record<string, readonly number[]>>;
}

/** Two announcements and some slack. */
const listenMs = 1100;

/** Listen for about a second. */
export async function livingWorkers(
  log: Log,
  signal: AbortSignal,
): Promise<readonly LivingWorker[]> {
  const heard = new Map<string, Presence>();
  const unlisten = log.onPresence((presence) => {
    const known = heard.get(presence.worker);
    // A second worker of one id does not start, and says nothing for the first.
    const isOther = known !== undefined && known.session !== presence.session;
    if (isOther && (presence.leaving || presence.joining === true)) return;
    if (presence.leaving) heard.delete(presence.worker);
    else heard.set(presence.worker, presence);
  });
  try {
    await pause(listenMs, undefined, { signal });
  } catch {
    // Interrupted: what was heard so far is nobody's interest any more.
  } finally {
    unlisten();
  }
  return [...heard.values()]
    .map(({ worker, holds }) => ({ worker, holds: ofAgents(holds) }))
    .toSorted((a, b) => a.worker.localeCompare(b.worker));
}

/** Without what workers agree on among themselves; a name of an agent type begins with a letter. */
function ofAgents(holds: Presence["holds"]): LivingWorker["holds"] {
  return Object.fromEntries(Object.entries(holds).filter(([type]) => /^[A-Za-z]/.test(type)));
}
