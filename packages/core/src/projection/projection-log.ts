/** What a projection reads of the log: the journals of its agent types, in log order. */
import { ForeignCheckpointError } from "../errors/projection-errors.ts";
import type { Position } from "../log/input.ts";
import type { FollowRequest, Log, LogEntry } from "../log/log.ts";
import { wasRemoved } from "../log/low-water.ts";
import type { Checkpoint } from "./projection-sink.ts";
import type { ProjectionDefinition } from "./projection.ts";

type TurnEntry = LogEntry & { readonly kind: "turn" };

export interface RecordsRequest extends Pick<FollowRequest, "onPending" | "signal"> {
  readonly after: Position;
}

/** All records after a position, and those to come. */
export async function* recordsAfter(
  log: Log,
  projection: ProjectionDefinition,
  { after, ...request }: RecordsRequest,
): AsyncGenerator<TurnEntry, void, undefined> {
  yield* turnsIn(log.follow({ ...sourcesOf(projection), ...request, from: after + 1 }));
}

/** Position of the last record from a position on; 0 when there is none. */
export async function lastRecord(
  log: Log,
  projection: ProjectionDefinition,
  from: Position,
  signal: AbortSignal | undefined,
): Promise<Position> {
  let last: Position = 0;
  const request = { ...sourcesOf(projection), from, untilNow: true, signal };
  for await (const { entry } of turnsIn(log.follow(request))) last = entry.revision;
  return last;
}

/**
 * A checkpoint names a record. When that is not there, the positions mean something else, and going
 * on from there would leave events out without a word. @throws ForeignCheckpointError
 */
export async function verifyCheckpoint(
  log: Log,
  projection: ProjectionDefinition,
  { position, recordedAtMs }: Checkpoint,
): Promise<void> {
  if (position === 0) return;
  if (await wasDestroyed(log, position)) return;
  const request = { ...sourcesOf(projection), from: position, untilNow: true };
  for await (const { entry } of turnsIn(log.follow(request))) {
    if (entry.revision === position && entry.committedAtMs === recordedAtMs) return;
    break;
  }
  // Retention may have removed the record; a log that went back has none of what came later either.
  if (await wasRemoved(log, position)) return;
  throw new ForeignCheckpointError(
    `The read model of ${projection.name} is at position ${position}, where the log ` +
      `${log.namespace} has no such record of ${Object.keys(projection.sources).join(", ")}. The ` +
      "model is from another log, or the projection's agents changed: rebuild it, or raise its version.",
    { details: { projection: projection.name, position, namespace: log.namespace } },
  );
}

/** An erasure leaves a hole: the model is of this log, and hears of the erasure itself. */
async function wasDestroyed(log: Log, position: Position): Promise<boolean> {
  if ((await log.at(position)) !== undefined) return false;
  return (await log.end()).last > position;
}

function sourcesOf({ sources }: ProjectionDefinition): Pick<FollowRequest, "kinds" | "types"> {
  return { kinds: ["turn"], types: Object.keys(sources) };
}

async function* turnsIn(
  entries: AsyncIterable<LogEntry>,
): AsyncGenerator<TurnEntry, void, undefined> {
  for await (const entry of entries) if (entry.kind === "turn") yield entry;
}
