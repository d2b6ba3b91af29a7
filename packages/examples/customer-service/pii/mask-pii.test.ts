import * as fc from "fast-check";
import { expect, test } from "vitest";
import { loadPiiLabels } from "../fixtures/labels.ts";
import { loadInquiries } from "../inquiry.ts";
import { isPaymentCard, passesLuhn } from "./find-payment-cards.ts";
import { isResidentId } from "./find-resident-ids.ts";
import { maskPii } from "./mask-pii.ts";

const carriers = [
  "Please get back to me soon, the hub is still offline.",
  "您好我的网关一直离线请尽快联系我谢谢",
  "Paid $129.00 on 2026-04-12, firmware 3.2.1, see ORD-20260412-7788 at 192.168.1.47!",
  "昨天下单付了¥899,版本 2.8.4,订单 ORD-20260411-3072,麻烦看一下。",
  "ok",
] as const;

const digitCharacters = "0123456789".split("");

const digits = (length: number): fc.Arbitrary<string> =>
  fc.string({ unit: fc.constantFrom(...digitCharacters), minLength: length, maxLength: length });

const separator = fc.constantFrom("", " ", "-");

const card = fc
  .tuple(
    fc.constantFrom("4", "51", "37", "62", "6011", "2221", "35"),
    fc.integer({ min: 13, max: 19 }),
    digits(19),
    separator,
  )
  .map(([network, length, random, between]) => {
    const body = (network + random).slice(0, length - 1);
    const check = "0123456789".split("").find((digit) => passesLuhn(body + digit)) ?? "0";
    return (body + check).match(/.{1,4}/g)?.join(between) ?? "";
  });

const chineseMobile = fc
  .tuple(
    fc.constantFrom("", "+86 ", "0086", "86-"),
    fc.integer({ min: 3, max: 9 }),
    digits(9),
    separator,
  )
  .map(
    ([prefix, second, rest, between]) =>
      `${prefix}1${second}${rest[0]}${between}${rest.slice(1, 5)}${between}${rest.slice(5)}`,
  );

const americanPhone = fc
  .tuple(
    fc.constantFrom("", "1-", "+1 "),
    fc.integer({ min: 200, max: 999 }),
    digits(7),
    fc.boolean(),
  )
  .map(([prefix, area, rest, parentheses]) =>
    parentheses
      ? `${prefix}(${area}) ${rest.slice(0, 3)}-${rest.slice(3)}`
      : `${prefix}${area}-${rest.slice(0, 3)}-${rest.slice(3)}`,
  );

const internationalPhone = fc
  .tuple(fc.constantFrom("+44 20 ", "+33 1", "+4930", "+64-21-"), digits(8), separator)
  .map(([prefix, rest, between]) => prefix + rest.slice(0, 4) + between + rest.slice(4));

const email = fc
  .tuple(
    fc.stringMatching(/^[a-z][a-z0-9._+-]{0,11}[a-z0-9]$/),
    fc.stringMatching(/^[a-z][a-z0-9-]{0,9}[a-z]$/),
    fc.constantFrom("com", "org", "co.uk", "cn"),
    fc.constantFrom("@", "＠"),
  )
  .map(([local, domain, top, at]) => `${local}${at}${domain}.${top}`);

const residentId = fc
  .tuple(
    digits(4),
    fc.integer({ min: 1940, max: 2015 }),
    fc.integer({ min: 1, max: 12 }),
    digits(3),
  )
  .map(([region, year, month, serial]) => {
    const body = `99${region}${year}${String(month).padStart(2, "0")}15${serial}`;
    return body + ("0123456789X".split("").find((check) => isResidentId(body + check)) ?? "");
  });

const fullWidth = (text: string): string =>
  text.replace(/[0-9+@-]/g, (c) => String.fromCharCode(c.charCodeAt(0) + 0xfee0));

const plainDatum = fc.oneof(
  card,
  chineseMobile,
  americanPhone,
  internationalPhone,
  email,
  residentId,
);
const personalDatum = fc.oneof(plainDatum, plainDatum.map(fullWidth));

const masked: readonly (readonly [string, string])[] = [
  ["mail me at jo.b+shop@example.co.uk.", "mail me at [email]."],
  ["邮箱xiaolin_7@example.com谢谢", "邮箱[email]谢谢"],
  ["发到 xiaolin@example。com 就行", "发到 [email] 就行"],
  ["邮箱:ｌｉｎ７＠ｅｘａｍｐｌｅ．ｃｏｍ", "邮箱:[email]"],
  ["电话13800001234谢谢", "电话[phone]谢谢"],
  ["电话１３８００００１２３４", "电话[phone]"],
  ["+86 138-0000-1234 or (415) 555-0100", "[phone] or [phone]"],
  ["ring +49 (0)30 000 0000 tomorrow", "ring [phone] tomorrow"],
  ["座机(010)55550199转 3", "座机[phone]转 3"],
  ["call 4155550100 please", "call [phone] please"],
  ["card 4111 1111 1111 1111 exp 09/28", "card [card] exp 09/28"],
  ["卡号6205500000000000004。", "卡号[card]。"],
  ["room 12 4111-1111-1111-1111 7", "room 12 [card] 7"],
  ["身份证990101199003070023。", "身份证[id]。"],
  ["身份证 990101 19900307 0023", "身份证 [id]"],
];

const untouched: readonly string[] = [
  "ORD-20260412-7788 and order 20260413778812345",
  "order 4822093317 has not arrived, 订单号:8822093317",
  "serial RV5-2024-118830, tracking YT7790-0031-5562",
  "paid $1,380.00 and ¥13,800.50 on 2026-04-12 at 10:30 (UTC+8 2026-04-12)",
  "firmware 3.2.1, app 5.14.0, build 20260412.1",
  "192.168.100.200 and 203.0.113.25:8883",
  "4111 1111 1111 1112 is no card",
  "990101199003070024 has a wrong check character",
  "C++ 14 @ home, 50 % @8pm",
  "",
];

test.each(masked)("masks %j", (text, expected) => {
  expect(maskPii(text).text).toBe(expected);
});

test.each(untouched)("leaves %j as it is", (text) => {
  expect(maskPii(text)).toEqual({ text, found: {} });
});

test("counts what it found by kind", () => {
  const text = "a@example.com, b@example.com, 13800001234, 4242 4242 4242 4242";
  expect(maskPii(text).found).toEqual({ email: 2, phone: 1, card: 1 });
});

test("finds exactly the labelled personal data in the bundled inquiries", () => {
  const found = loadInquiries()
    .map(({ id, text }) => [id, maskPii(text).found] as const)
    .filter(([, counts]) => Object.keys(counts).length > 0);
  expect(new Map(found)).toEqual(loadPiiLabels());
});

test("no e-mail, phone number, card or resident id survives, wherever it is inserted", () => {
  const property = fc.property(
    personalDatum,
    fc.constantFrom(...carriers),
    fc.nat(),
    (datum, carrier, n) => {
      const at = insertionPoint(carrier, n);
      const text = carrier.slice(0, at) + datum + carrier.slice(at);
      const result = maskPii(text).text;
      expect(result).not.toContain(datum);
      expect(longNumber(result)).not.toContain(longNumber(datum) || "none");
    },
  );
  fc.assert(property, { numRuns: 2000 });
});

test("what it does not mask is kept, in order", () => {
  const property = fc.property(personalDatum, fc.constantFrom(...carriers), (datum, carrier) => {
    const { text } = maskPii(`${carrier} | ${datum} | ${carrier}`);
    expect(text).toMatch(/ \| \[(?:email|phone|card|id)\] \| /);
    expect(text.split(/ \| \[\w+\] \| /)).toEqual([carrier, carrier]);
  });
  fc.assert(property, { numRuns: 500 });
});

test("masking a masked text changes nothing", () => {
  const pieces = fc.array(
    fc.oneof(
      fc.string({
        unit: fc.constantFrom(..."0123456789 -.()+@ax１３＠。订".split("")),
        maxLength: 40,
      }),
      fc.string({ unit: "grapheme" }),
      fc.constantFrom(...carriers),
      personalDatum,
    ),
    { maxLength: 6 },
  );
  const property = fc.property(pieces, (parts) => {
    const once = maskPii(parts.join("")).text;
    expect(maskPii(once)).toEqual({ text: once, found: {} });
  });
  fc.assert(property, { numRuns: 2000 });
});

test("a text of the largest accepted size is masked without delay", () => {
  const cards = maskPii("4111-1111-1111-1111, ".repeat(480));
  expect(cards.found).toEqual({ card: 480 });
  expect(maskPii("a".repeat(10_000)).found).toEqual({});
  expect(maskPii("0-".repeat(5_000)).found).toEqual({});
});

/**
 * A position that does not touch a digit: there the inserted number would become another number.
 */
function insertionPoint(carrier: string, n: number): number {
  const points = Array.from({ length: carrier.length + 1 }, (_, i) => i).filter(
    (i) => !/\d/.test(carrier.slice(Math.max(0, i - 1), i + 1)),
  );
  return points[n % points.length] ?? 0;
}

/**
 * All digits of a text when they are enough for a number that identifies somebody, else nothing.
 */
function longNumber(text: string): string {
  const half = text.replace(/[０-９]/g, (c) => String.fromCharCode(c.charCodeAt(0) - 0xfee0));
  const numerals = half.replace(/\D/g, "");
  return numerals.length > 8 ? numerals : "";
}

test("a card needs a network's first digits besides Luhn", () => {
  expect(isPaymentCard("4111111111111111")).toBe(true);
  expect(isPaymentCard("1111111111111117")).toBe(false);
});
