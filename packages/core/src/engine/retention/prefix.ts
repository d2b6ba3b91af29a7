/**
 * Removing what lies before a position of all agents of a type, in two requests.
 *
 *  PREFIX-1 The cost for a log of taking records of one agent out of the middle grows with the
 *     number of others between them; the cost of removing a prefix of a type does not. So where
 *     much has gathered it goes by prefix.
 *  PREFIX-2 A log may do nothing else while it removes. So a prefix goes in slices that take a
 *     moment each, with a pause after each that is longer; a crash in between leaves a shorter
 *     prefix.
 *  PREFIX-3 The bound is the one that a census found (CENSUS-1 to CENSUS-3), at most the one that
 *     the look allows. Before anything goes the log's leader has the record of the agent that holds
 *     the bound (BASE-4), the log is still the same, and all of it is archived.
 */
import type { Archive } from "../../log/archive/archive-port.ts";
import type { Clock } from "../../clock/clock.ts";
import type { InspectionFeed } from "../inspection/inspection-feed.ts";
import type { Position } from "../../definition/message/input.ts";
import type { Log } from "../../log/log.ts";
import type { LogFooting } from "../../log/log-footing.ts";
import type { Bound } from "./census.ts";
import type { Look } from "./collector.ts";
import { rest } from "./rest.ts";
import type { Originals } from "./unhandled.ts";

export interface PrefixHost {
  readonly log: Log;
  readonly archive: Pick<Archive, "keep"> | undefined;
  readonly clock: Clock;
  readonly feed: InspectionFeed;
  readonly footing: Pick<LogFooting, "marks">;
  /** Aborted when the worker stops: what is left stays for the next one. */
  readonly signal: AbortSignal;
}

/** Returns the position before which nothing of the type is left. @throws LogUnavailableError */
export async function removePrefix(
  { archive, clock, feed, footing, log, signal }: PrefixHost,
  type: string,
  { bound, look }: { readonly bound: Bound; readonly look: Look },
): Promise<Position> {
  const before = Math.min(bound.records, look.below);
  const upTo = Math.min(bound.inputs, look.unhandled, look.below, heldOf(look.originals, type));
  if (before <= 1 || (await log.at(before)) === undefined) return 0;
  await archive?.keep({ kind: "agent", name: type }, Math.max(before, upTo));
  if ((await footing.marks()) === undefined) return 0;
  const startedAt = clock.monotonicMs();
  const slices = new Slices(clock, signal);
  const from = bound.first;
  const records = await slices.remove(from, before, (to) => log.truncateJournals(type, to));
  const place = { kind: "agent", name: type } as const;
  const inputs = await slices.remove(from, upTo, (to) => log.removeInputs(place, to));
  if (signal.aborted) return 0;
  if (!feed.active) return before;
  const tookMs = clock.monotonicMs() - startedAt;
  const heldBy = bound.heldBy?.agent;
  feed.emit({ kind: "journals.truncated", type, before, records, inputs, heldBy, tookMs });
  return before;
}

/** Removes from position to position, about as much at once as takes `sliceMs`. */
class Slices {
  readonly #clock: Clock;
  readonly #signal: AbortSignal;
  #positions = positionsMin;

  constructor(clock: Clock, signal: AbortSignal) {
    this.#clock = clock;
    this.#signal = signal;
  }

  async remove(
    from: Position,
    end: Position,
    remove: (to: Position) => Promise<number>,
  ): Promise<number> {
    let count = 0;
    for (let to = from; to < end && !this.#signal.aborted;) {
      to = Math.min(end, to + this.#positions);
      const startedAt = this.#clock.monotonicMs();
      count += await remove(to);
      const tookMs = this.#clock.monotonicMs() - startedAt;
      if (tookMs < sliceMs / 2) this.#positions *= 2;
      else if (tookMs > sliceMs) this.#positions = Math.max(positionsMin, this.#positions / 2);
      await rest(this.#clock, tookMs * restsPerSlice, this.#signal);
    }
    return count;
  }
}

/**
 * Time that one request may keep the log from other work, nearly, and that it rests then, in
 * milliseconds.
 */
const sliceMs = 100;
const restsPerSlice = 4;
/** Positions of the smallest slice. */
const positionsMin = 8192;

/** The first original of a dead letter that was sent to an agent of the type. */
function heldOf(originals: Originals, type: string): Position {
  let held = Infinity;
  for (const [name, position] of originals) {
    if (name.startsWith(`agent/${type}/`)) held = Math.min(held, position);
  }
  return held;
}
