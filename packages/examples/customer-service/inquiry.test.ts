import { expect, test } from "vitest";
import { categories } from "./category.ts";
import { inquirySchema, loadInquiries } from "./inquiry.ts";
import { detectLanguage } from "./language.ts";

const inquiries = loadInquiries();

test("the bundled inquiries have distinct ids and texts", () => {
  expect(new Set(inquiries.map(({ id }) => id)).size).toBe(inquiries.length);
  expect(new Set(inquiries.map(({ text }) => text)).size).toBe(inquiries.length);
});

test("the bundled inquiries cover all categories, both languages and long conversations", () => {
  const perCategory = Object.groupBy(inquiries, ({ expected }) => expected.category);
  for (const category of categories) expect(perCategory[category]?.length).toBeGreaterThan(30);
  const chinese = inquiries.filter(({ text }) => detectLanguage(text) === "zh").length;
  expect(chinese / inquiries.length).toBeCloseTo(0.5, 1);
  const conversations = Object.values(Object.groupBy(inquiries, (inquiry) => inquiry.conversation));
  expect(conversations.filter((messages) => (messages?.length ?? 0) > 1).length).toBeGreaterThan(
    90,
  );
});

test("the bundled inquiries weave conversations into each other", () => {
  const neighbours = inquiries.filter((inquiry, i) => {
    return inquiry.conversation === inquiries[i + 1]?.conversation;
  });
  expect(neighbours.length).toBeLessThan(inquiries.length / 4);
});

test("an inquiry without a text is rejected", () => {
  const inquiry = { id: "i-1", conversation: "c-1", channel: "web-chat" };
  expect(inquirySchema.safeParse({ ...inquiry, text: "" }).success).toBe(false);
  expect(inquirySchema.safeParse({ ...inquiry, text: "Hi" }).success).toBe(true);
});
