/**
 * Seeded chance. Every purpose has a stream of its own, so that leaving something out of a run, as
 * shrinking does, changes as little as possible of the rest.
 */
import type { Random } from "@troupe/core/log";

export interface Chance {
  /** Number from 0 up to, not including, 1. */
  readonly next: Random;
  /** A whole number from `least` to `most`, both included. */
  between(least: number, most: number): number;
  /** Like `between`, with small numbers as likely as large ones: 1 to 10 as often as 10 to 100. */
  magnitude(least: number, most: number): number;
  happens(probability: number): boolean;
  /**
   * Pick an item.
   *
   * @example
   * ```ts
   * const fruit = chance.pick(["apple", "pear"]);
   * ```
   */
  pick<const Item>(items: readonly [Item, ...Item[]]): Item;
}

/**
 * The chance of this seed for this purpose: always the same.
 *
 * @example
 * ```ts
 * const dice = chanceOf(7, "dice").between(1, 6);
 * ```
 */
export function chanceOf(seed: number, purpose: string): Chance {
  const next = numbersOf(seed, purpose);
  const between = (least: number, most: number): number =>
    least + Math.floor(next() * (most - least + 1));
  return {
    next,
    between,
    magnitude: (least, most) => Math.round(least * (most / least) ** next()),
    happens: (probability) => next() < probability,
    pick: (items) => items[between(0, items.length - 1)] ?? items[0],
  };
}

/** The generator sfc32, which is small, fast and passes the usual statistical tests. */
function numbersOf(seed: number, purpose: string): Random {
  let [a, b, c, count] = [seed | 0, Math.floor(seed / 2 ** 32) | 0, hashOf(purpose), 1];
  const next = (): number => {
    const sum = (((a + b) | 0) + count) | 0;
    count = (count + 1) | 0;
    a = b ^ (b >>> 9);
    b = (c + (c << 3)) | 0;
    c = ((c << 21) | (c >>> 11)) + sum;
    return (sum >>> 0) / 2 ** 32;
  };
  for (let i = 0; i < 12; i++) next();
  return next;
}

function hashOf(text: string): number {
  let hash = 2166136261;
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 16777619);
  return hash;
}
