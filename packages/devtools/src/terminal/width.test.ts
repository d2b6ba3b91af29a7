import fc from "fast-check";
import { expect, test } from "vitest";
import { cell, fit, padStart, textWidth } from "./width.ts";

const text = fc.string({ unit: "grapheme" });

test.each([
  ["abc", 3],
  ["账户", 4],
  ["ｆｕｌｌ", 8],
  ["é", 1],
  ["e\u0301", 1],
  ["🙂", 2],
  ["👨‍👩‍👧", 2],
  ["🇨🇳", 2],
  ["❤️", 2],
  ["한국", 4],
  ["", 0],
])("%s takes %i columns", (given, width) => {
  expect(textWidth(given)).toBe(width);
});

test("a fitted text is never wider, and stays whole when it fits", () => {
  fc.assert(
    fc.property(text, fc.nat(40), (given, width) => {
      const fitted = fit(given, width);
      expect(textWidth(fitted)).toBeLessThanOrEqual(width);
      const isWhole = textWidth(given) <= width;
      expect(isWhole ? fitted === given : width === 0 || fitted.endsWith("…")).toBe(true);
    }),
  );
});

test("a fitted text uses the room it has, and cuts no character", () => {
  expect(fit("账户余额", 7)).toBe("账户余…");
  expect(fit("账户余额", 6)).toBe("账户…");
  expect(fit("a👨‍👩‍👧bcd", 4)).toBe("a👨‍👩‍👧…");
  expect(fit("𠮷𠮷𠮷", 5)).toBe("𠮷𠮷…");
  expect(fit("abc", Infinity)).toBe("abc");
});

test("a cell has exactly its width", () => {
  expect(cell("账户", 6)).toBe("账户  ");
  expect(cell("账户余额", 6)).toBe("账户… ");
  expect(padStart("账", 4)).toBe("  账");
});
