/**
 * Removing publications beyond the age that their topic keeps them.
 *
 * The age of a position is known from notes: now and then a cell gets the position that the log had
 * reached, and the time. So a removed publication is at least as old as its topic says, whatever
 * clock the worker has; one that was there before the first note counts from that one.
 */
import { RevisionConflictError } from "../../errors/log-errors.ts";
import type { Archive } from "../../log/archive/archive-port.ts";
import type { InspectionFeed } from "../inspection/inspection-feed.ts";
import type { Position } from "../../definition/message/input.ts";
import type { Log } from "../../log/log.ts";
import type { Look } from "./collector.ts";
import { heldFrom } from "./unhandled.ts";

export interface PublicationsHost {
  readonly log: Log;
  readonly archive: Pick<Archive, "keep"> | undefined;
  readonly feed: InspectionFeed;
  /** Time for which the publications of each topic are kept. */
  readonly agesMs: ReadonlyMap<string, number>;
}

/** Up to where the log had come, and when, by its clock. */
interface Note {
  readonly position: Position;
  readonly atMs: number;
}

const cellName = "~retention-times";

/**
 * A step: note the time, and remove the publications that are too old. @throws LogUnavailableError
 */
export async function removePublications(host: PublicationsHost, look: Look): Promise<void> {
  const { agesMs, archive, feed, log } = host;
  const notes = await noted(log, look.below, Math.min(...agesMs.values()));
  const nowMs = log.nowMs();
  for (const [topic, ageMs] of agesMs) {
    const old = notes.findLast(({ atMs }) => nowMs - atMs >= ageMs)?.position ?? 0;
    const held = heldFrom(look.originals, [`topic/${topic}`, "topic"]);
    const before = Math.min(old, look.below, look.unhandled, held);
    if (before <= 1) continue;
    await archive?.keep({ kind: "topic", name: topic }, before);
    const inputs = await log.removeInputs({ kind: "topic", name: topic }, before);
    if (inputs > 0 && feed.active) {
      feed.emit({ kind: "publications.removed", topic, before, inputs });
    }
  }
}

/** The notes with one of now, if the last one is old enough. */
async function noted(log: Log, position: Position, ageMs: number): Promise<readonly Note[]> {
  const cell = await log.cell(cellName);
  const notes: readonly Note[] =
    cell === undefined ? [] : (JSON.parse(Buffer.from(cell.value).toString()) as Note[]);
  const nowMs = log.nowMs();
  const last = notes.at(-1);
  const isFresh = last !== undefined && nowMs - last.atMs < ageMs / notesPerAge;
  // A log that went back has other positions at these times.
  const kept = notes.filter((note) => note.position <= position);
  if (isFresh && kept.length === notes.length) return notes;
  const next = [...thinned(kept), { position, atMs: nowMs }];
  try {
    await log.writeCell(cellName, Buffer.from(JSON.stringify(next)), cell?.revision ?? 0);
    return next;
  } catch (thrown) {
    // Another worker noted it.
    if (thrown instanceof RevisionConflictError) return notes;
    throw thrown;
  }
}

/** Every other one of the older half when there are many. */
function thinned(notes: readonly Note[]): readonly Note[] {
  if (notes.length < notesMax) return notes;
  const half = notes.length / 2;
  return notes.filter((_, index) => index >= half || index % 2 === 0);
}

const notesPerAge = 16;
const notesMax = 512;
