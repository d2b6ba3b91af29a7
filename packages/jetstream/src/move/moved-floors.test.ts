/** Floors of other partitions are never higher than what was handled. */
import { keyToToken, partitionOfToken, type Floor } from "@troupe/core/log";
import fc from "fast-check";
import { expect, test } from "vitest";

import { movedFloors } from "./moved-floors.ts";

const mark = (position: number): Floor["mark"] => ({ log: "l", position, storedAtMs: position });

test("no input is below the new floor that is above the old one, and the mark stands on all", () => {
  const counts = fc.integer({ min: 1, max: 40 });
  const property = fc.property(counts, counts, fc.string(), fc.infiniteStream(fc.nat(99)), check);
  fc.assert(property);

  function check(before: number, after: number, key: string, positions: Iterable<number>): void {
    const heights = [...take(positions, before)];
    const floors = heights.map((position, partition): Floor => ({
      type: "t",
      partition,
      position,
      mark: mark(position),
    }));
    const token = keyToToken(key || "k");
    const old = floors[partitionOfToken(token, before)];
    const moved = movedFloors(floors, { before, after }).find(
      ({ partition }) => partition === partitionOfToken(token, after),
    );
    expect(moved?.position).toBeLessThanOrEqual(old?.position ?? 0);
    expect(moved?.mark?.position).toBeGreaterThanOrEqual(old?.mark?.position ?? 0);
  }
});

function* take(positions: Iterable<number>, count: number): Generator<number> {
  let taken = 0;
  for (const position of positions) {
    if (taken++ === count) return;
    yield position;
  }
}

test("a partition whose old ones have not all a floor gets none, and unroutable messages keep theirs", () => {
  const floors: readonly Floor[] = [
    { type: "t", partition: 0, position: 9, mark: mark(9), holder: { worker: "w", session: "s" } },
    { type: "~unroutable", partition: "unroutable", position: 5, mark: mark(5) },
  ];
  expect(movedFloors(floors, { before: 2, after: 4 })).toEqual([
    floors[1],
    { ...floors[0], partition: 0 },
    { ...floors[0], partition: 2 },
  ]);
  expect(movedFloors(floors, { before: 2, after: 3 })).toEqual([floors[1]]);
});
