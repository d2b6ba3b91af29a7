/**
 * Whether the log has room for the readers that a system may need (I7).
 *
 * Workers that host the same types share their partitions, so a partition has one reader for all of
 * them. But any type may get workers of its own, and behind its fellows it reads by itself; so the
 * most is one reader for each partition of each type, and one for the unroutable messages. It is
 * asked before anything is taken, because readers that cannot be made would be missed later, one by
 * one. A type of which everything was forgotten does not count: nobody hosts it, and nothing waits
 * for it.
 */
import { TooManyReadersError } from "../../errors/log-errors.ts";
import type { Log } from "../../log/log.ts";

/** @throws TooManyReadersError, LogUnavailableError */
export async function requireReaderRoom(log: Log, types: readonly string[]): Promise<void> {
  const { readersMax } = log.limits;
  const known = (await log.manifests())
    .filter(({ messages, topics }) => messages.length + topics.length > 0)
    .map(({ type }) => type);
  const all = new Set([...known, ...types]);
  const readers = all.size * log.partitions + 1;
  if (readers <= readersMax) return;
  throw new TooManyReadersError(
    `The worker cannot start: with ${types.join(", ")} the namespace ${log.namespace} has ${all.size} agent types of ` +
      `${log.partitions} partitions, which may need ${readers} readers, and the log takes ${readersMax}. ` +
      `Forget types that no code hosts any more, move some into a namespace of their own or one with fewer partitions, or give the log's stream more consumers.`,
    { details: { types, typesInAll: all.size, partitions: log.partitions, readers, readersMax } },
  );
}
