/**
 * Shards: the logs that a log is made of, each with some of its partitions.
 *
 * The partition p lies in the shard p modulo their number, so which shard an agent is in depends on
 * its key's hash and the number of shards alone, however many partitions there are. A position
 * names its shard: it is the place there plus the shard's number times 2^45. So it is one of the
 * whole log, grows within a shard, and is a plain number in the first one.
 *
 * A log that was moved from one shard into several keeps its positions. So a plain number up to
 * where it ended then may lie in any of them; entries that were stored since are behind that in
 * each.
 */
import { DefinitionError } from "../errors/definition-errors.ts";
import { keyToToken } from "../definition/message/key-token.ts";
import { partitionOfToken } from "../definition/message/partition.ts";
import type { Position } from "../definition/message/input.ts";

/** Places in a shard: enough for a million messages a second in a year. */
export const shardSpan: number = 2 ** 45;

/** Positions are integers up to 2^53. */
export const shardsMax = 256;

/** @throws DefinitionError when a log cannot have so many shards */
export function requireShards({ partitions, shards }: ShardCounts): void {
  if (shards <= shardsMax && partitions % shards === 0) return;
  throw new DefinitionError(
    `A log of ${partitions} partitions cannot have ${shards} shards: there may be ${shardsMax}, and the number of partitions must be a multiple of theirs.`,
    { details: { partitions, shards, shardsMax } },
  );
}

export interface ShardCounts {
  readonly partitions: number;
  readonly shards: number;
}

/** The shard that a position is in, 0 for all plain numbers. */
export function shardAt(position: Position): number {
  return Math.floor(position / shardSpan);
}

/** The shard of a partition; unroutable messages lie in the first one. */
export function shardOfPartition(partition: number | "unroutable", shards: number): number {
  return partition === "unroutable" ? 0 : partition % shards;
}

/** The shard of whatever has this key. */
export function shardOfKey({ partitions, shards }: ShardCounts, key: string): number {
  return shards === 1 ? 0 : partitionOfToken(keyToToken(key), partitions) % shards;
}
