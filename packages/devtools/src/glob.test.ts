import { expect, test } from "vitest";
import { globOf } from "./glob.ts";

test.each([
  ["eu-*", "eu-1", true],
  ["eu-*", "neu-1", false],
  ["*", "", true],
  ["a?c", "abc", true],
  ["a?c", "a🙂c", true],
  ["a.c", "abc", false],
  ["[a]+(b)|$^{c}\\\\", "[a]+(b)|$^{c}\\\\", true],
  ["*\n*", "a\nb", true],
])("%j takes %j: %s", (pattern, text, expected) => {
  expect(globOf(pattern).isMatch(text)).toBe(expected);
  expect(text.startsWith(globOf(pattern).prefix) || !expected).toBe(true);
});
