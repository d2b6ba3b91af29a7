import { expect, test } from "vitest";

import { FollowScope } from "./follow-scope.ts";

const journals = ["ns.a.*.journal.account.>", "ns.a.*.journal.order.>"];

test("one filter is asked for whatever is left", () => {
  for (const filter of ["ns.>", "ns.a.*.journal.account.>"]) {
    const scope = new FollowScope("ns", [filter]);
    expect(scope.left(1_000_000)).toBe(false);
    expect(scope.filters).toEqual([filter]);
    expect(scope.matches("ns.3.journal.account.alice")).toBe(true);
  }
});

test("several are asked for near the end, and what covers them far behind it", () => {
  const scope = new FollowScope("ns.a", journals);
  expect(scope.left(4095)).toBe(false);
  expect(scope.filters).toEqual(journals);
  expect(scope.left(1_000_000)).toBe(true);
  expect(scope.filters).toEqual(["ns.a.*.journal.>"]);
  expect(scope.left(257)).toBe(false);
  expect(scope.left(256)).toBe(true);
  expect(scope.filters).toEqual(journals);
});

test.each([
  [["ns.*.in.topic.news.>", "ns.*.in.topic.orders.>"], ["ns.*.in.topic.>"]],
  [["ns.*.in.topic.news.>", "ns.*.in.agent.news.>"], ["ns.*.in.>"]],
  [["ns.*.in.>", "ns.*.journal.account.>"], ["ns.*.>"]],
  [["ns.*.journal.order.>", "ns.*.journal.orders.>"], ["ns.*.journal.>"]],
  [["ns.*.journal.order.>", "ns.*.journal.order.>"], ["ns.*.journal.order.>"]],
])("%j are covered by %j", (filters, covering) => {
  const scope = new FollowScope("ns", filters);
  scope.left(1_000_000);
  expect(scope.filters).toEqual(covering);
});

test("only what a filter matches counts", () => {
  const scope = new FollowScope("ns.a", journals);
  const subjects = ["ns.a.12.journal.account.bob", "ns.a.0.journal.accounts.bob", "ns.a.0.in.x"];
  expect(subjects.map((subject) => scope.matches(subject))).toEqual([true, false, false]);
});
