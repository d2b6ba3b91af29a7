/**
 * Fitting an archive to the log as it is now (I16).
 *
 * A log that was restored from a backup, or lost its tail, goes on from there: archived entries of
 * the part that is gone are about positions that mean something else by now. The time tells up to
 * where the two are one: entries that were stored since are younger than all that were archived
 * before.
 */
import type { Position } from "../../definition/message/input.ts";
import type { Log } from "../log.ts";
import type { Mark } from "../log-end.ts";
import type { ChainManifest } from "./chain-manifest.ts";
import type { NamedSegment } from "./segment-file.ts";

export type FittedLog = Pick<Log, "at" | "end" | "follow" | "id">;

/**
 * The manifest as far as it is about this log: itself, or one whose later segments are `lost`.
 *
 * @throws LogUnavailableError
 */
export async function fittedManifest<Manifest extends ChainManifest>(
  log: FittedLog,
  manifest: Manifest,
): Promise<Manifest> {
  const { mark } = manifest;
  if (mark === undefined) return manifest;
  const { last } = await log.end();
  const there = mark.position > last ? undefined : await log.at(mark.position);
  const isGone = mark.position > last;
  // A truncated position proves nothing, and was archived before.
  if (!isGone && (there === undefined || there.storedAtMs === mark.storedAtMs)) return manifest;
  return cutManifest(manifest, await lastCommon(log, last, mark));
}

/** The log's end, and the last thing that is there to recognise it by. */
export async function endMark(
  log: FittedLog,
): Promise<{ readonly last: Position; readonly mark: Mark }> {
  const { last, log: name } = await log.end();
  // The last position may be gone, as a dead letter that was removed.
  for (let position = last; position > Math.max(0, last - looksMax); position -= 1) {
    const there = await log.at(position);
    if (there === undefined) continue;
    return { last, mark: { log: name, position, storedAtMs: there.storedAtMs } };
  }
  return { last, mark: { log: name, position: 0, storedAtMs: 0 } };
}

const looksMax = 1000;

/** The last thing that is there and not younger than the mark, looked for by halving. */
async function lastCommon(log: FittedLog, last: Position, mark: Mark): Promise<Mark> {
  const { log: name } = mark;
  let common: Mark = { log: name, position: 0, storedAtMs: 0 };
  let until = Math.min(last, mark.position);
  while (common.position < until) {
    const middle = common.position + Math.ceil((until - common.position) / 2);
    const next = await firstFrom(log, middle);
    const isCommon = next !== undefined && next.storedAtMs <= mark.storedAtMs;
    if (isCommon && next.position <= until) common = { log: name, ...next };
    else until = middle - 1;
  }
  return common;
}

async function firstFrom(
  log: FittedLog,
  from: Position,
): Promise<Pick<Mark, "position" | "storedAtMs"> | undefined> {
  for await (const entry of log.follow({ from, untilNow: true })) {
    if (entry.kind === "input") {
      return { position: entry.input.position, storedAtMs: entry.input.acceptedAtMs };
    }
    if (entry.kind === "turn") {
      return { position: entry.entry.revision, storedAtMs: entry.entry.committedAtMs };
    }
    return { position: entry.position, storedAtMs: entry.storedAtMs };
  }
  return undefined;
}

/** The manifest without what it has after the last common position. */
function cutManifest<Manifest extends ChainManifest>(manifest: Manifest, common: Mark): Manifest {
  const { position } = common;
  const isLost = ({ to }: NamedSegment): boolean => to > position;
  return {
    ...manifest,
    archivedTo: Math.min(manifest.archivedTo, position),
    mark: position === 0 ? undefined : common,
    segments: manifest.segments
      .filter(({ after }) => after < position)
      .map((segment) => ({ ...segment, to: Math.min(segment.to, position) })),
    lost: [...manifest.lost, ...manifest.segments.filter(isLost)],
  };
}
