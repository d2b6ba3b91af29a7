/**
 * Payment card numbers: 13 to 19 digits, contiguous or in groups, that pass the Luhn check.
 *
 * One number in ten passes Luhn by chance, so the first digits must belong to a card network too:
 * 22 to 27 or 3 to 6. Numbers that begin with a year, as order numbers do, are then no cards. Every
 * run of neighbouring groups is tried, so a card is found next to other numbers; of overlapping
 * runs all count, since hiding a digit too many is the safe side.
 */
import type { PiiSpan } from "./span.ts";

const digitsMin = 13;
const digitsMax = 19;
const network = /^(?:2[2-7]|[3-6])/;
/** Shorter groups (except the last) make dates and lists of figures look like cards. */
const groupDigitsMin = 3;

interface Group {
  readonly digits: string;
  readonly start: number;
  readonly end: number;
}

/** All payment card numbers of a half-width text. */
export function findPaymentCards(text: string): readonly PiiSpan[] {
  const groups = Array.from(text.matchAll(/\d+/g), ({ 0: digits, index }) => ({
    digits,
    start: index,
    end: index + digits.length,
  }));
  return groups.flatMap((_, first) => cardsFrom(text, groups, first));
}

/** True when the digits pass the Luhn check. */
export function passesLuhn(digits: string): boolean {
  let sum = 0;
  for (let i = 0; i < digits.length; i++) {
    const digit = Number(digits[digits.length - 1 - i]);
    sum += i % 2 === 0 ? digit : digit > 4 ? digit * 2 - 9 : digit * 2;
  }
  return sum % 10 === 0;
}

/** True for the digits of a card number, without separators. */
export function isPaymentCard(digits: string): boolean {
  const length = digits.length;
  return length >= digitsMin && length <= digitsMax && network.test(digits) && passesLuhn(digits);
}

function cardsFrom(text: string, groups: readonly Group[], first: number): readonly PiiSpan[] {
  const start = groups[first]?.start ?? 0;
  const cards: PiiSpan[] = [];
  let digits = "";
  for (let i = first; i < groups.length && digits.length < digitsMax; i++) {
    const group = groups[i] as Group;
    if (i > first && !continues(text, groups[i - 1] as Group, group)) break;
    digits += group.digits;
    if (isPaymentCard(digits)) cards.push({ kind: "card", start, end: group.end });
  }
  return cards;
}

function continues(text: string, previous: Group, next: Group): boolean {
  const separator = text.slice(previous.end, next.start);
  return previous.digits.length >= groupDigitsMin && /^[ .-]{1,2}$/.test(separator);
}
