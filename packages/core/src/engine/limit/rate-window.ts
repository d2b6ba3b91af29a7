/**
 * A rate that holds in every window: a reservation counts until no window can have its use in it
 * any more.
 *
 *  RATE-1 A reservation is used within `useWithinMs`, or comes back unused; it comes back only
 *     while it counts, because later it would be taken off somebody else's.
 *  RATE-2 It counts for `perMs` + `useWithinMs` after its reservation. So at every reservation all
 *     uses of the last `perMs` are counted, and the sum of them and the new one is at most `count`.
 *  RATE-3 A reservation's time is the log's own, when it stored it; only its age is measured by
 *     workers, who count it too young rather than too old.
 *
 * Reservations are kept in slots of a fiftieth of the window, so there are few of them. That, and
 * RATE-2, keep a rate up to six percent below its count; more for windows of seconds.
 */
import type { Rate } from "../../definition/limit.ts";

/** An amount that was reserved until a time of the log's clock. */
export type Spent = readonly [atMs: number, cost: number];

const slotsPerWindow = 50;
const useWithinMsMin = 250;

/** Time that a reservation may lie unused, in milliseconds. */
export function useWithinMs(rates: readonly Rate[]): number {
  return Math.max(useWithinMsMin, ...rates.map(({ perMs }) => perMs / slotsPerWindow));
}

/** Amount that may be reserved now under all of these rates; Infinity without any. */
export function freeOf(spent: readonly Spent[], rates: readonly Rate[], nowMs: number): number {
  const graceMs = useWithinMs(rates);
  const free = rates.map(({ count, perMs }) => {
    const counted = spent.filter(([atMs]) => atMs + perMs + graceMs > nowMs);
    return count - counted.reduce((sum, [, cost]) => sum + cost, 0);
  });
  return Math.min(Infinity, ...free);
}

/** Time at which an amount that counts now stops to count; Infinity when there is none. */
export function nextFreeAtMs(
  spent: readonly Spent[],
  rates: readonly Rate[],
  nowMs: number,
): number {
  const graceMs = useWithinMs(rates);
  const ends = rates.flatMap(({ perMs }) => spent.map(([atMs]) => atMs + perMs + graceMs));
  return Math.min(Infinity, ...ends.filter((end) => end > nowMs));
}

/** Reservations with one more; those that count no more are gone. */
export function withSpent(
  spent: readonly Spent[],
  [reservedAtMs, cost]: Spent,
  rates: readonly Rate[],
): readonly Spent[] {
  if (cost === 0 || rates.length === 0) return spent;
  const slotMs = Math.min(...rates.map(({ perMs }) => perMs)) / slotsPerWindow;
  const atMs = Math.ceil(reservedAtMs / slotMs) * slotMs;
  const keptMs = Math.max(...rates.map(({ perMs }) => perMs)) + useWithinMs(rates);
  const kept = spent.filter((slot) => slot[0] + keptMs > reservedAtMs);
  const same = kept.findIndex((slot) => slot[0] === atMs);
  return same < 0
    ? [...kept, [atMs, cost]]
    : kept.with(same, [atMs, cost + (kept[same]?.[1] ?? 0)]);
}

/**
 * Reservations without the part that came back unused. It leaves the oldest slots, which are never
 * younger than its own: so at every later time at least what was used is counted.
 */
export function withoutUnused(spent: readonly Spent[], unused: number): readonly Spent[] {
  let left = unused;
  return spent
    .toSorted(([first], [second]) => first - second)
    .flatMap(([atMs, cost]): readonly Spent[] => {
      const returned = Math.min(left, cost);
      left -= returned;
      return cost > returned ? [[atMs, cost - returned]] : [];
    });
}
