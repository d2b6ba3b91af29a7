/**
 * Chance that a seed repeats: when faults come, whom they hit and how long they last.
 *
 * Processes and a real broker take their own time, so a seed repeats the plan of a run, not its
 * every step.
 */
export type Random = () => number;

/** A source of its own per purpose, so that one more fault here changes nothing there. */
export function randomOf(seed: number, purpose: string): Random {
  let state = seed | 0;
  for (const character of purpose) {
    state = Math.imul(state ^ (character.codePointAt(0) ?? 0), 0x01_00_01_93);
  }
  return () => {
    state = (state + 0x6d_2b_79_f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** A number from `from` up to, not including, `to`. */
export function between(random: Random, from: number, to: number): number {
  return from + random() * (to - from);
}

/** Draws one of these; undefined when there are none. */
export function oneOf<T>(random: Random, items: readonly T[]): T | undefined {
  return items[Math.floor(random() * items.length)];
}
