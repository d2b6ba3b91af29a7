/**
 * The low-water mark: below it things may be missing because somebody removed them on purpose.
 *
 * A remembered position knows its log by what lies there (mark.ts). When that was removed, it looks
 * like a log that lost its tail. So whoever removes something first says, in a cell, below which
 * position that may be; and says it with a mark of its own, at or after that position.
 *
 *  LOWWATER-1 It is raised before anything below it is removed, and never falls. The entry it
 *     stands on lies at or above it, so nothing that was removed under it can be that entry.
 *  LOWWATER-2 It counts only while its own mark is on the log. As long as that is there, so is
 *     everything before it that was not removed: a missing position below it was removed, not lost.
 *     When it is gone, the log went back, and missing entries count as lost, as ever.
 *  LOWWATER-3 Nothing is removed while a saved floor stands on something that is not there: of a
 *     position in a tail that was lost and grew again, this is the only trace. All floors are
 *     looked at before the mark is raised.
 */
import { RevisionConflictError } from "../errors/log-errors.ts";
import type { Position } from "../definition/message/input.ts";
import type { Log } from "./log.ts";
import type { Mark } from "./log-end.ts";

export interface LowWater {
  /** Position before which entries may have been removed on purpose. */
  readonly below: Position;
  /** Mark at or after the position, found there when it was raised. */
  readonly mark: Mark;
}

/** No limit or other cell has such a name. */
const cellName = "~low-water";

/** The mark as it is now; undefined when nothing was ever removed. @throws LogUnavailableError */
export async function lowWater(log: Pick<Log, "cell">): Promise<LowWater | undefined> {
  return (await read(log)).value;
}

/**
 * Say that what lies below the mark may be removed. Resolves when that is stored.
 *
 * @param mark found on the log just now
 * @throws LogUnavailableError
 */
export async function raiseLowWater(
  log: Pick<Log, "at" | "cell" | "writeCell">,
  mark: Mark,
): Promise<LowWater> {
  for (;;) {
    const { revision, value } = await read(log);
    const isHigher = value === undefined || value.mark.position < mark.position;
    // One that stands on what is gone is of a log that went back.
    if (value !== undefined && !isHigher && (await stands(log, value))) return value;
    const raised: LowWater = { below: mark.position, mark };
    try {
      await log.writeCell(cellName, Buffer.from(JSON.stringify(raised)), revision);
      return raised;
    } catch (thrown) {
      // Somebody else raised it: look again.
      if (!(thrown instanceof RevisionConflictError)) throw thrown;
    }
  }
}

/**
 * The mark under which nothing lies at this position any more because it was removed on purpose
 * (LOWWATER-2); undefined when it was not. @throws LogUnavailableError
 */
export async function removedUnder(
  log: Pick<Log, "at" | "cell">,
  position: Position,
): Promise<Mark | undefined> {
  for (let last: Position | undefined; ;) {
    const { revision, value } = await read(log);
    if (value === undefined || position >= value.below) return undefined;
    if (await stands(log, value)) return value.mark;
    // It may have been raised in between, and its earlier mark removed.
    if (revision === last) return undefined;
    last = revision;
  }
}

/** Whether nothing lies there because it was removed on purpose. @throws LogUnavailableError */
export async function wasRemoved(
  log: Pick<Log, "at" | "cell">,
  position: Position,
): Promise<boolean> {
  return (await removedUnder(log, position)) !== undefined;
}

async function stands(log: Pick<Log, "at">, { mark }: LowWater): Promise<boolean> {
  const found = await log.at(mark.position);
  return found?.storedAtMs === mark.storedAtMs;
}

async function read(
  log: Pick<Log, "cell">,
): Promise<{ readonly revision: Position; readonly value: LowWater | undefined }> {
  const cell = await log.cell(cellName, { firm: true });
  if (cell === undefined) return { revision: 0, value: undefined };
  const value = JSON.parse(Buffer.from(cell.value).toString()) as LowWater;
  return { revision: cell.revision, value };
}
