/**
 * Progress of a read model: on a log of several shards, in each of them. A record belongs to the
 * shard of its agent, also where its position, from before the log had shards, names none.
 */
import type { Position } from "../../definition/message/input.ts";
import type { ProjectionDefinition } from "./projection.ts";

/** A record that is in a model. */
export interface AppliedRecord {
  /** 0 for none. */
  readonly position: Position;
  /**
   * Time at which it was committed, by which a checkpoint on another log is recognised. 0 for none.
   */
  readonly recordedAtMs: number;
}

/** Progress of a read model: all events up to the position are in it, and none after. */
export interface Checkpoint extends AppliedRecord {
  /** The projection's version when the model was made. */
  readonly version: number;
  /** Last record of each shard that is in the model, on a log of several. */
  readonly shards?: readonly AppliedRecord[] | undefined;
}

/** Checkpoint before the first event. */
export function startOf(projection: ProjectionDefinition): Checkpoint {
  return { version: projection.version, position: 0, recordedAtMs: 0 };
}

export function isSameCheckpoint(a: Checkpoint, b: Checkpoint): boolean {
  if (a.version !== b.version || a.position !== b.position) return false;
  const shards = Math.max(a.shards?.length ?? 0, b.shards?.length ?? 0);
  for (let shard = 0; shard < shards; shard++) {
    if (reachedIn(a, shard) !== reachedIn(b, shard)) return false;
  }
  return true;
}

/** The position in a shard up to which everything is in the model. */
export function reachedIn({ position, shards }: Checkpoint, shard: number): Position {
  return shards?.[shard]?.position ?? position;
}

/** Whether a model lacks in any shard what it had. */
export function isBehind(now: Checkpoint, before: Checkpoint, shards: number): boolean {
  for (let shard = 0; shard < shards; shard++) {
    if (reachedIn(now, shard) < reachedIn(before, shard)) return true;
  }
  return false;
}

/** The checkpoint after these records; they are in the order of each shard. */
export function movedBy(
  from: Checkpoint,
  records: readonly {
    readonly shard: number;
    readonly position: Position;
    readonly atMs: number;
  }[],
  shards: number,
): Checkpoint {
  const last = records.at(-1);
  if (last === undefined) return from;
  const { version } = from;
  const to = { version, position: last.position, recordedAtMs: last.atMs };
  if (shards === 1) return to;
  const { position, recordedAtMs } = from;
  const each = Array.from(
    { length: shards },
    (_, shard): AppliedRecord => from.shards?.[shard] ?? { position, recordedAtMs },
  );
  for (const { atMs, position: at, shard } of records)
    each[shard] = { position: at, recordedAtMs: atMs };
  return { ...to, shards: each };
}
