/**
 * Phone numbers: Chinese mobiles and landlines, international numbers, American numbers.
 *
 * 1. A shape that only phones have is always masked, whatever stands around it.
 * 2. A bare run of ten to twelve digits can be an order number as well. It is masked unless the
 *    words before it name an
 *    order, a serial number or the like, and no word for a phone stands there too.
 */
import { matchSpans, type PiiSpan } from "./span.ts";

const unmistakable: readonly RegExp[] = [
  // Chinese mobiles: 138 0000 1234, 13800001234, +86 138-0000-1234, 0086 13800001234
  /(?<!\d)(?:\(?(?:\+|00)?86\)?[ .-]{0,2})?1[3-9]\d[ .-]{0,2}\d{4}[ .-]{0,2}\d{4}(?!\d)/,
  // International numbers: +44 20 7946 0000, +49 (0)30 000000; not a time zone such as UTC+8
  /(?<!GMT|UTC)\+[1-9](?:[ .()-]{0,3}\d){7,14}(?!\d)/,
  // American numbers: 415-555-0100, 415.555.0100, 1-800-555-0100, (415) 555-0100; also Chinese
  // 400-000-0000
  /(?<!\d)(?:1[ .-])?[2-9]\d{2}[ .-]\d{3}[ .-]\d{4}(?!\d)/,
  /(?:1[ .-])?\([2-9]\d{2}\)[ .-]?\d{3}[ .-]?\d{4}(?!\d)/,
  // Landlines with their area code: 0571-88880000, (010) 5555 0000, 020 7946 0000, 07700 900000
  /(?<!\d)(?:\(0[1-9]\d{1,3}\)[ .-]?|0[1-9]\d{1,3}[ .-])\d{3,4}[ .-]?\d{3,4}(?!\d)/,
];

const ambiguous: readonly RegExp[] = [
  /(?<![\w$¥€£.#-])(?:1?[2-9]\d{2}[2-9]\d{6}|0[1-9]\d{8,10})(?!\d)/,
  /(?<![\w$¥€£.#-])00[1-9](?:[ .-]?\d){8,13}(?!\d)/,
];

const identifiers = "order|invoice|ticket|serial|tracking|parcel|return|case|ref|reference|sn";
const chineseIdentifiers = "订单|单号|编号|序列号|工单|运单|税号";
const identifierWord = new RegExp(
  `(?:\\b(?:${identifiers})\\b|${chineseIdentifiers})[^\\d.;!?。]{0,16}$`,
  "i",
);
const phoneWord =
  /\b(?:phone|call|ring|tel|mobile|cell|text|dial)\b|电话|手机|座机|致电|联系|号码/i;
/** Distance that is searched for words before a number, in characters. */
const wordsBefore = 32;

/** All phone numbers of a half-width text. */
export function findPhoneNumbers(text: string): readonly PiiSpan[] {
  return [
    ...unmistakable.flatMap((pattern) => matchSpans(text, "phone", pattern)),
    ...ambiguous.flatMap((pattern) =>
      matchSpans(text, "phone", pattern, (_, start) => !isIdentifier(text, start)),
    ),
  ];
}

function isIdentifier(text: string, start: number): boolean {
  const before = text.slice(Math.max(0, start - wordsBefore), start);
  return identifierWord.test(before) && !phoneWord.test(before);
}
