import * as fc from "fast-check";
import { expect, test } from "vitest";
import type { Category } from "../category.ts";
import { loadInquiries } from "../inquiry.ts";
import { analyseSentiment } from "./sentiment.ts";

const scoreOf = (text: string): number => analyseSentiment(text).score;

test.each(["I love it, thank you", "很满意,谢谢", "not bad at all", "没什么问题", "👍"])(
  "%j is positive",
  (text) => {
    expect(scoreOf(text)).toBeGreaterThan(0);
  },
);

test.each([
  "This is terrible",
  "太差了,骗人",
  "I am not happy",
  "不满意",
  "never happy with it",
  "😡",
])("%j is negative", (text) => {
  expect(scoreOf(text)).toBeLessThan(0);
});

test.each(["", "The camera is white.", "订单 ORD-20260412-7788"])("%j is neutral", (text) => {
  expect(analyseSentiment(text)).toEqual({ score: 0, positive: [], negative: [] });
});

test("shouting makes a feeling stronger", () => {
  expect(scoreOf("THIS IS TERRIBLE SERVICE")).toBeLessThan(scoreOf("This is terrible service"));
  expect(scoreOf("太差了!!!")).toBeLessThan(scoreOf("太差了"));
});

test("a negated word is weaker than its opposite", () => {
  expect(scoreOf("not happy")).toBeGreaterThan(scoreOf("angry"));
});

test("names the words that decided", () => {
  expect(analyseSentiment("Great lamp, awful service")).toMatchObject({
    positive: ["great"],
    negative: ["awful"],
  });
});

test("the score of any text is between -1 and 1", () => {
  const property = fc.property(fc.string({ unit: "grapheme" }), (text) => {
    expect(Math.abs(scoreOf(text))).toBeLessThanOrEqual(1);
  });
  fc.assert(property);
});

test("bundled complaints are the unhappiest inquiries, and most are noticed", () => {
  const complaints = scoresOf("complaint");
  for (const category of ["faq", "technical", "billing", "sales", "general"] as const) {
    expect(mean(complaints)).toBeLessThan(mean(scoresOf(category)) - 0.2);
  }
  expect(complaints.filter((score) => score < 0).length / complaints.length).toBeGreaterThan(0.6);
});

function scoresOf(category: Category): readonly number[] {
  return loadInquiries()
    .filter(({ expected }) => expected.category === category)
    .map(({ text }) => scoreOf(text));
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}
