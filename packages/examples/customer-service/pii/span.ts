/**
 * A piece of a text that identifies a person, by its position.
 *
 * Finders report spans and never change the text, so they can overlap and be tested one by one;
 * merging is the masker's.
 */

/** Kind of personal data that a span holds. */
export type PiiKind = "email" | "residentId" | "card" | "phone";

/** Half open, in UTF-16 units: `text.slice(start, end)` is the piece. */
export interface PiiSpan {
  readonly kind: PiiKind;
  readonly start: number;
  readonly end: number;
}

/**
 * Every match of `pattern` as a span, overlapping ones included; `accept` may reject a match by its
 * text.
 */
export function matchSpans(
  text: string,
  kind: PiiKind,
  pattern: RegExp,
  accept: (match: string, start: number) => boolean = () => true,
): readonly PiiSpan[] {
  const overlapping = new RegExp(`(?=(${pattern.source}))`, "g");
  return Array.from(text.matchAll(overlapping), (found) => ({
    kind,
    start: found.index,
    end: found.index + (found[1] ?? "").length,
  })).filter(({ start, end }) => end > start && accept(text.slice(start, end), start));
}
