/**
 * Takes what identifies a person out of a text, before it is stored, logged or shown to a model.
 *
 * E-mail addresses, phone numbers, payment cards and Chinese resident identity numbers are replaced
 * by placeholders that keep no digit at all: the last four digits of a card are still personal
 * data, and no agent needs them.
 *
 * 1. Spans are found in a half-width copy of equal length, so full-width digits and signs hide
 *    nothing.
 * 2. Overlapping spans become one placeholder; the kind listed first in `placeholders` names it.
 * 3. Masking repeats until nothing is found. So masking a masked text changes nothing, and a number
 *    that is only recognised once its neighbour is gone does not slip through. Each pass removes
 *    digits or an @, hence it ends.
 */
import { findEmails } from "./find-emails.ts";
import { findPaymentCards } from "./find-payment-cards.ts";
import { findPhoneNumbers } from "./find-phone-numbers.ts";
import { findResidentIds } from "./find-resident-ids.ts";
import { toHalfWidth } from "./half-width.ts";
import type { PiiKind, PiiSpan } from "./span.ts";

/** A text without personal data, and how many pieces of each kind were taken out. */
export interface MaskedText {
  readonly text: string;
  readonly found: Readonly<Partial<Record<PiiKind, number>>>;
}

/** Placeholder that stands in the text instead, by kind. */
const placeholders: Readonly<Record<PiiKind, string>> = Object.freeze({
  email: "[email]",
  residentId: "[id]",
  card: "[card]",
  phone: "[phone]",
});

const precedence = Object.keys(placeholders);

/** Replaces all personal data by placeholders; everything else stays as it was written. */
export function maskPii(text: string): MaskedText {
  const found: Partial<Record<PiiKind, number>> = {};
  let masked = text;
  for (let spans = findPii(masked); spans.length > 0; spans = findPii(masked)) {
    for (const { kind } of spans) found[kind] = (found[kind] ?? 0) + 1;
    masked = replaceSpans(masked, spans);
  }
  return { text: masked, found };
}

/** The personal data of a text as disjoint spans in text order. */
function findPii(text: string): readonly PiiSpan[] {
  const half = toHalfWidth(text);
  const spans = [
    ...findEmails(half),
    ...findResidentIds(half),
    ...findPaymentCards(half),
    ...findPhoneNumbers(half),
  ];
  return mergeOverlapping(spans.toSorted((a, b) => a.start - b.start));
}

function mergeOverlapping(sorted: readonly PiiSpan[]): readonly PiiSpan[] {
  const merged: PiiSpan[] = [];
  for (const span of sorted) {
    const last = merged.at(-1);
    if (last !== undefined && span.start < last.end) merged[merged.length - 1] = join(last, span);
    else merged.push(span);
  }
  return merged;
}

function join(a: PiiSpan, b: PiiSpan): PiiSpan {
  const kind = precedence.indexOf(a.kind) <= precedence.indexOf(b.kind) ? a.kind : b.kind;
  return { kind, start: a.start, end: Math.max(a.end, b.end) };
}

function replaceSpans(text: string, spans: readonly PiiSpan[]): string {
  let result = "";
  let position = 0;
  for (const { kind, start, end } of spans) {
    result += text.slice(position, start) + placeholders[kind];
    position = end;
  }
  return result + text.slice(position);
}
