/**
 * Ids of traces and spans that are a function of what they stand for.
 *
 * A turn that runs again, here or at another worker, is the same span, so the messages that its
 * runs sent hang below an id that its record holds; a reader of the records, even years later,
 * comes to the ids that were told while it ran. None of these functions is a digest: the ids are
 * spread evenly and differ for different positions, and nothing else is asked of them.
 */
import type { Position } from "./input.ts";

/**
 * The trace of a message that brought none: another one for every log and position. For a message
 * that is continued in a trace of its own, such as a late timer's, `of` is the link and the
 * message's id.
 */
export function traceIdOf(of: string, position: Position): string {
  const [one, two] = hashed(of, seedOne, seedTwo);
  const low = position >>> 0;
  const high = (position / 2 ** 32) >>> 0;
  const word = (seed: number, factor: number): string =>
    hex(mixed(seed ^ Math.imul(low, factor) ^ mixed(high + factor)));
  const traceId =
    word(one, 0x9e3779b1) + word(two, 0x85ebca77) + word(~one, 0xc2b2ae3d) + word(~two, 0x27d4eb2f);
  return traceId === noTraceId ? `${noTraceId.slice(1)}1` : traceId;
}

/** The span of a turn: one for every input and agent type, the same in every run. */
export function spanIdOf(traceId: string, position: Position, type: string): string {
  const [one, two] = hashed(type, ...hashed(traceId, seedOne, seedTwo));
  const low = position >>> 0;
  const high = mixed((position / 2 ** 32) >>> 0);
  return spanId(mixed(one ^ Math.imul(low, 0x9e3779b1) ^ high), mixed(two ^ low ^ high));
}

/** A span within a turn: `run 2` for its second run, and a step by its label. */
export function spanIdBelow(parent: string, what: string): string {
  const [one, two] = hashed(what, ...hashed(parent, seedOne, seedTwo));
  return spanId(mixed(one), mixed(two));
}

function spanId(one: number, two: number): string {
  return one === 0 && two === 0 ? "0000000000000001" : hex(one) + hex(two);
}

/** Two independent words of a text. */
function hashed(text: string, one: number, two: number): readonly [number, number] {
  let first = one;
  let second = two;
  for (let index = 0; index < text.length; index++) {
    const code = text.charCodeAt(index);
    first = Math.imul(first ^ code, 0x01000193);
    second = Math.imul((second << 13) | (second >>> 19), 0x5bd1e995) ^ Math.imul(code, 0xcc9e2d51);
  }
  return [mixed(first ^ text.length), mixed(second)];
}

/** Every bit of the result depends on every bit of the word, and no two words give the same one. */
function mixed(word: number): number {
  let bits = word;
  bits = Math.imul(bits ^ (bits >>> 16), 0x85ebca6b);
  bits = Math.imul(bits ^ (bits >>> 13), 0xc2b2ae35);
  return bits ^ (bits >>> 16);
}

function hex(word: number): string {
  return (
    (bytes[word >>> 24] ?? "") +
    (bytes[(word >>> 16) & 0xff] ?? "") +
    (bytes[(word >>> 8) & 0xff] ?? "") +
    (bytes[word & 0xff] ?? "")
  );
}

const bytes: readonly string[] = Array.from({ length: 256 }, (_, byte) =>
  byte.toString(16).padStart(2, "0"),
);
const noTraceId = "0".repeat(32);
const seedOne = 0x811c9dc5 | 0;
const seedTwo = 0x2f0b4c47;
