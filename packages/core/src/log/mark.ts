/**
 * Marks: how a remembered position knows its log (I16).
 *
 * A position alone says nothing once a stream was made anew, restored from a backup or has lost its
 * tail: it may be beyond the end, or hold another message. A mark also says when what lies there
 * was stored. If that is there still, everything up to it is the log as it was. The entry that a
 * mark stands on may be removed on purpose; then the low-water mark says so (low-water.ts). An
 * erasure leaves a hole before the log's end, which a log that went back does not have: it stores
 * the next thing at the next position.
 */
import { LogMadeAnewError, LogWentBackError } from "../errors/log-errors.ts";
import type { TroupeError } from "../errors/troupe-error.ts";
import type { Log } from "./log.ts";
import type { LogEnd, Mark } from "./log-end.ts";
import { wasRemoved } from "./low-water.ts";
import { shardAt } from "./shard.ts";

/** Whether the log is the one that the mark was made on, at least up to the mark. */
export async function fitsLog(log: Pick<Log, "at" | "cell" | "end">, mark: Mark): Promise<boolean> {
  if (mark.position === 0) return true;
  const found = await log.at(mark.position);
  if (found !== undefined) return found.storedAtMs === mark.storedAtMs;
  if (await wasRemoved(log, mark.position)) return true;
  return (await laterMark(log, mark)) !== undefined;
}

/**
 * A mark at the log's end, when what this one stands on was destroyed and nothing else happened;
 * else undefined.
 */
export async function laterMark(
  log: Pick<Log, "at" | "end">,
  { log: identity, position }: Pick<Mark, "log" | "position">,
): Promise<Mark | undefined> {
  const end = await log.end();
  const last = end.ends?.[shardAt(position)] ?? end.last;
  if (end.log !== identity || last <= position) return undefined;
  // A lost tail that grew again in between has filled the position; a hole stays one.
  if ((await log.at(position)) !== undefined) return undefined;
  const found = await log.at(last);
  return found && { log: identity, position: last, storedAtMs: found.storedAtMs };
}

/** The error that says how a log changed which does not fit a mark. */
export function logChanged(mark: Mark, { last, log }: LogEnd): TroupeError {
  const { position } = mark;
  const details = { position, last, log, markedLog: mark.log };
  if (mark.log !== log) {
    return new LogMadeAnewError(
      `The log was made anew: the one of before was known up to position ${position}, this one ends at ${last}. ` +
        `What was remembered of the old one is not used, and everything in the new one is handled. Find out who removed the stream.`,
      { details },
    );
  }
  return new LogWentBackError(
    `The log went back: it was known up to position ${position}, and that is not there any more (it ends at ${last}). ` +
      `A backup was restored or its tail was lost, with what was accepted since. What remains is read again and handled where its turns are missing.`,
    { details },
  );
}
