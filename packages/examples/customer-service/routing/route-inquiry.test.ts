import { expect, test } from "vitest";
import type { Category } from "../category.ts";
import {
  loadEscalationLabels,
  loadHeldOutInquiries,
  loadTuningInquiries,
} from "../fixtures/labels.ts";
import { loadInquiries } from "../inquiry.ts";
import { type Route, routeInquiry } from "./route-inquiry.ts";

interface Judged {
  readonly route: Route;
  readonly right: boolean;
}

test.each<readonly [string, Category]>([
  ["Where can I download the invoice?", "billing"],
  ["网关离线了", "technical"],
  ["Do you sell gift cards?", "sales"],
  ["怎么退货", "faq"],
  ["This is ridiculous, nobody answers!", "complaint"],
  ["Hello", "general"],
  ["xyzzy", "general"],
  ["", "general"],
])("routes %j to %s", (text, category) => {
  expect(routeInquiry(text).category).toBe(category);
});

test("names the rules that decided", () => {
  expect(routeInquiry("开发票,抬头写错了").matched).toEqual(["invoice"]);
});

test("more evidence makes a decision surer, and evidence for another category less sure", () => {
  const one = routeInquiry("My refund, please").confidence;
  const two = routeInquiry("My refund for the invoice, please").confidence;
  const mixed = routeInquiry("My refund, please, the router is offline").confidence;
  expect(two).toBeGreaterThan(one);
  expect(mixed).toBeLessThan(one);
});

test("without evidence a message keeps the category of the one before", () => {
  expect(routeInquiry("and now?", { previous: "technical" }).category).toBe("technical");
  expect(routeInquiry("I want a refund", { previous: "technical" }).category).toBe("billing");
});

test.each([
  ["转人工", ["human"]],
  ["Let me talk to a manager", ["human"]],
  ["my lawyer will call you", ["legal"]],
  ["这是第三次来问了", ["repeat"]],
  ["I have called four times", ["repeat"]],
  ["插座冒烟了", ["safety"]],
  ["我爱人工作很忙", []],
])("finds the escalation signals of %j", (text, signals) => {
  const route = routeInquiry(text);
  expect(route.signals).toEqual(signals);
  expect(route.escalate).toBe(signals.length > 0);
});

test("finds exactly the labelled escalation signals in the bundled inquiries", () => {
  const found = loadInquiries()
    .map(({ id, text }) => [id, routeInquiry(text).signals] as const)
    .filter(([, signals]) => signals.length > 0);
  expect(sorted(new Map(found))).toEqual(sorted(loadEscalationLabels()));
});

test("at least nine in ten bundled inquiries are routed right", () => {
  expect(accuracyOf(judgeBundled())).toBeGreaterThan(0.92);
});

test("the inquiries that the rules were tuned on are still routed right", () => {
  expect(accuracyOf(judge(loadTuningInquiries()))).toBeGreaterThan(0.88);
});

test("almost eight in ten inquiries that the rules have never seen are routed right", () => {
  expect(accuracyOf(judge(loadHeldOutInquiries()))).toBeGreaterThan(0.78);
});

test("confidence tells right from wrong", () => {
  const judged = [...judgeBundled(), ...judge(loadHeldOutInquiries())];
  const sure = judged.filter(({ route }) => route.confidence >= 0.7);
  const unsure = judged.filter(({ route }) => route.confidence < 0.55);
  expect(sure.length).toBeGreaterThan(judged.length / 2);
  expect(accuracyOf(sure)).toBeGreaterThan(0.95);
  expect(accuracyOf(unsure)).toBeLessThan(0.85);
});

/** Conversations are routed as they come in, each message in the light of the one before. */
function judgeBundled(): readonly Judged[] {
  const previous = new Map<string, Category>();
  return loadInquiries().map(({ conversation, text, expected }) => {
    const route = routeInquiry(text, { previous: previous.get(conversation) });
    previous.set(conversation, route.category);
    return { route, right: route.category === expected.category };
  });
}

function judge(inquiries: ReturnType<typeof loadHeldOutInquiries>): readonly Judged[] {
  return inquiries.map(({ text, expected }) => {
    const route = routeInquiry(text);
    return { route, right: route.category === expected.category };
  });
}

function accuracyOf(judged: readonly Judged[]): number {
  return judged.filter(({ right }) => right).length / judged.length;
}

function sorted(labels: ReadonlyMap<string, readonly string[]>): Record<string, readonly string[]> {
  return Object.fromEntries(
    Array.from(labels, ([id, signals]) => [id, signals.toSorted((a, b) => a.localeCompare(b))]),
  );
}
