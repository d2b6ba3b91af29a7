/** What following asks the server for. The behaviour is in the contract suite. */
import { expect, test } from "vitest";

import { followFilters } from "./follow.ts";
import { subjects } from "./subjects.ts";

const filters = (request: { topics?: string[]; types?: string[] }): readonly string[] =>
  followFilters(subjects("ns"), { from: 1, ...request });

test("everything is one filter", () => {
  expect(filters({})).toEqual(["ns.>"]);
});

test("topics and types narrow independently", () => {
  expect(filters({ topics: ["orders"], types: [] })).toEqual(["ns.0.in.*.topic.orders.>"]);
  expect(filters({ topics: [], types: ["account"] })).toEqual([
    "ns.0.in.*.agent.account.>",
    "ns.0.journal.account.>",
    "ns.0.dead.account.>",
  ]);
  expect(filters({ topics: [], types: [] })).toEqual([]);
});
