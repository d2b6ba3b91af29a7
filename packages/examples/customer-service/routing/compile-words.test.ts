import { expect, test } from "vitest";
import { compileWords } from "./compile-words.ts";
import { loadRoutingRules } from "./routing-rules.ts";

test("English words match as whole words, Chinese anywhere, case never matters", () => {
  const pattern = compileWords(["refunds?", "退款"]);
  expect(pattern.test("My REFUND!")).toBe(true);
  expect(pattern.test("refundable")).toBe(false);
  expect(pattern.test("我要退款了")).toBe(true);
});

test("no rule matches an empty text", () => {
  expect(loadRoutingRules().filter(({ pattern }) => pattern.test(""))).toEqual([]);
});

test("rule names are distinct within a category", () => {
  const names = loadRoutingRules().map(({ category, name }) => `${category}: ${name}`);
  expect(new Set(names).size).toBe(names.length);
});
