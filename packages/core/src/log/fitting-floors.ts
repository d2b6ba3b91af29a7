/**
 * The floors from which a worker may read on: those that stand on what the log still holds (I16).
 * Any other one is of a log that is gone, or of a tail that was lost; its partition is read from
 * the beginning, and inputs that already have a turn are recognised (I4).
 */
import type { TroupeError } from "../errors/troupe-error.ts";
import type { Floor, Log } from "./log.ts";
import type { Mark } from "./log-end.ts";
import { fitsLog, logChanged } from "./mark.ts";

export interface FittingFloors {
  /** Floors by `floorName`; one that does not fit is at the beginning. */
  readonly floors: ReadonlyMap<string, Floor>;
  /** The marks that they stand on. */
  readonly marks: readonly Mark[];
  /** Set when some of the wanted floors do not fit the log. */
  readonly changed: TroupeError | undefined;
}

/** A floor's name, unique in its namespace. */
export function floorName({ partition, type }: Pick<Floor, "type" | "partition">): string {
  return `${type}/${partition}`;
}

/** Reads the floors of these names. @throws LogUnavailableError */
export async function fittingFloors(log: Log, wanted: ReadonlySet<string>): Promise<FittingFloors> {
  const floors = new Map<string, Floor>();
  const fit = new Map<string, Mark>();
  let unfit: Mark | undefined;
  // Floors that were saved together stand on the same mark.
  const looked = new Map<string, Promise<boolean>>();
  for (const floor of await log.floors()) {
    const { mark, position } = floor;
    if (!wanted.has(floorName(floor))) continue;
    floors.set(floorName(floor), { ...floor, position: 0 });
    if (position === 0 || mark === undefined || mark.position < position) continue;
    const name = `${mark.position} ${mark.storedAtMs}`;
    const looking = looked.get(name) ?? fitsLog(log, mark);
    looked.set(name, looking);
    if (await looking) {
      floors.set(floorName(floor), floor);
      fit.set(name, mark);
    } else unfit = further(unfit, mark);
  }
  const changed = unfit && logChanged(unfit, await log.end());
  return { floors, marks: [...fit.values()], changed };
}

function further(one: Mark | undefined, other: Mark): Mark {
  return one !== undefined && one.position > other.position ? one : other;
}
