/** Reader of a projection's part of the log: the journals of its agent types, in log order. */
import { ForeignCheckpointError } from "../../errors/projection-errors.ts";
import type { Position } from "../../definition/message/input.ts";
import type { FollowRequest, Log, LogEntry } from "../../log/log.ts";
import { wasRemoved } from "../../log/low-water.ts";
import type { LogEnd } from "../../log/log-end.ts";
import { shardAt, shardOfKey } from "../../log/shard.ts";
import type { AppliedRecord, Checkpoint } from "./checkpoint.ts";
import { reachedIn } from "./checkpoint.ts";
import type { ProjectionDefinition } from "./projection.ts";

type TurnEntry = LogEntry & { readonly kind: "turn" };

export interface RecordsRequest extends Pick<FollowRequest, "onPending" | "signal"> {
  readonly after: Checkpoint;
}

/** All records after a position, and those to come. */
export async function* recordsAfter(
  log: Log,
  projection: ProjectionDefinition,
  { after, ...request }: RecordsRequest,
): AsyncGenerator<TurnEntry, void, undefined> {
  const places = placesAfter(log, after);
  yield* turnsIn(log.follow({ ...sourcesOf(projection), ...request, ...places }));
}

/** The last record of each shard after a checkpoint, by shard; 0 where there is none. */
export async function lastRecords(
  log: Log,
  projection: ProjectionDefinition,
  { after, signal }: RecordsRequest,
): Promise<readonly Position[]> {
  const lasts: Position[] = Array.from({ length: log.shards }, () => 0);
  const places = placesAfter(log, after);
  const request = { ...sourcesOf(projection), ...places, untilNow: true, signal };
  for await (const { agent, entry } of turnsIn(log.follow(request)))
    lasts[shardOfKey(log, agent.key)] = entry.revision;
  return lasts;
}

function placesAfter(
  { shards }: Log,
  checkpoint: Checkpoint,
): Pick<FollowRequest, "after" | "from"> {
  const from = checkpoint.position + 1;
  if (shards === 1) return { from };
  return {
    from,
    after: Array.from({ length: shards }, (_, shard) => reachedIn(checkpoint, shard)),
  };
}

/**
 * A checkpoint names a record. When that is not there, the positions mean something else, and going
 * on from there would leave events out without a word. @throws ForeignCheckpointError
 */
export async function verifyCheckpoint(
  log: Log,
  projection: ProjectionDefinition,
  checkpoint: Checkpoint,
): Promise<void> {
  for (const applied of checkpoint.shards ?? [checkpoint]) {
    if (!(await isThere(log, projection, applied))) throw foreign(log, projection, applied);
  }
}

async function isThere(
  log: Log,
  projection: ProjectionDefinition,
  { position, recordedAtMs }: AppliedRecord,
): Promise<boolean> {
  if (position === 0) return true;
  const found = await log.at(position);
  // An erasure leaves a hole: the model is of this log, and hears of the erasure itself.
  if (found === undefined) return endsAfter(await log.end(), position);
  if (log.shards > 1) return found.storedAtMs === recordedAtMs;
  const request = { ...sourcesOf(projection), from: position, untilNow: true };
  for await (const { entry } of turnsIn(log.follow(request)))
    return entry.revision === position && entry.committedAtMs === recordedAtMs;
  // Retention may have removed it; a log that went back has none of what came later either.
  return wasRemoved(log, position);
}

function endsAfter({ ends, last }: LogEnd, position: Position): boolean {
  return (ends?.[shardAt(position)] ?? last) > position;
}

function foreign(
  log: Log,
  projection: ProjectionDefinition,
  { position }: AppliedRecord,
): ForeignCheckpointError {
  return new ForeignCheckpointError(
    `The read model of ${projection.name} is at position ${position}, where the log ` +
      `${log.namespace} has no such record of ${Object.keys(projection.sources).join(", ")}. The ` +
      "model is from another log, or the projection's agents changed: rebuild it, or raise its version.",
    { details: { projection: projection.name, position, namespace: log.namespace } },
  );
}

function sourcesOf({ sources }: ProjectionDefinition): Pick<FollowRequest, "kinds" | "types"> {
  return { kinds: ["turn"], types: Object.keys(sources) };
}

async function* turnsIn(
  entries: AsyncIterable<LogEntry>,
): AsyncGenerator<TurnEntry, void, undefined> {
  for await (const entry of entries) if (entry.kind === "turn") yield entry;
}
