import { expect, test } from "vitest";
import { wrapList } from "./wrap-list.ts";
import { wrapText } from "./wrap-text.ts";

test("a list goes on below its first item", () => {
  const names = ["deposit", "withdraw", "balance", "close"];
  expect(wrapList("messages", names, { indent: 2, labelWidth: 10, width: 32 })).toEqual([
    "  messages  deposit, withdraw,",
    "            balance, close",
  ]);
  expect(wrapList("messages", names, { indent: 2, labelWidth: 10, width: Infinity })).toEqual([
    "  messages  deposit, withdraw, balance, close",
  ]);
});

test("text breaks between words and keeps its own line ends and indents", () => {
  expect(wrapText("one two three\n  four five six", 10)).toBe("one two\nthree\n  four\n  five six");
  expect(wrapText("a-word-that-is-too-long for it", 10)).toBe("a-word-that-is-too-long\nfor it");
  expect(wrapText("one two three", Infinity)).toBe("one two three");
});
