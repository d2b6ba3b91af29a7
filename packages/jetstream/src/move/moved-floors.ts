/**
 * The floors of other partitions: never higher than what was handled (I16).
 *
 * The inputs of a new partition come from the old ones whose numbers can be those of the same hash:
 * all where the numbers of partitions have no common divisor, one where one divides the other. The
 * lowest of these holds for the new one; the furthest mark, because it stands on records of all of
 * them.
 */
import type { Floor } from "@troupe/core/log";

export interface Repartition {
  /** Partitions before. */
  readonly before: number;
  /** Partitions after. */
  readonly after: number;
}

/** A type without a floor in one of the old partitions gets none: it is read from the beginning. */
export function movedFloors(
  floors: readonly Floor[],
  { before, after }: Repartition,
): readonly Floor[] {
  const unroutable = floors.filter(({ partition }) => partition === "unroutable");
  const byType = Map.groupBy(
    floors.filter(({ partition }) => partition !== "unroutable"),
    ({ type }) => type,
  );
  const step = commonDivisor(before, after);
  const moved = [...byType.values()].flatMap((ofType) =>
    Array.from({ length: after }, (_, partition) => {
      const from = ofType.filter((floor) => Number(floor.partition) % step === partition % step);
      return from.length === before / step ? lowest(from, partition) : undefined;
    }),
  );
  return [...unroutable, ...moved.filter((floor) => floor !== undefined)];
}

function lowest(floors: readonly Floor[], partition: number): Floor | undefined {
  const [first] = floors.toSorted((a, b) => a.position - b.position);
  const [furthest] = floors.toSorted((a, b) => (b.mark?.position ?? 0) - (a.mark?.position ?? 0));
  if (first === undefined || floors.some(({ mark }) => mark === undefined)) return undefined;
  const holder = floors.find((floor) => floor.holder !== undefined)?.holder;
  const suspected = floors.some((floor) => floor.suspected === true);
  return {
    type: first.type,
    partition,
    position: first.position,
    mark: furthest?.mark,
    ...(holder === undefined ? {} : { holder }),
    ...(suspected ? { suspected } : {}),
  };
}

function commonDivisor(a: number, b: number): number {
  return b === 0 ? a : commonDivisor(b, a % b);
}
