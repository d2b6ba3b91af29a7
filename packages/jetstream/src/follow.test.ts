/**
 * Requests of following to the server, and its behaviour when the server says no. The rest is in
 * the contract suite.
 */
import type { FollowRequest } from "@troupe/core/log";
import { expect, test } from "vitest";

import { followFilters } from "./follow.ts";
import { connectLog } from "./index.ts";
import { startNatsServer } from "./server/index.ts";
import { subjects } from "./subjects.ts";

const filters = (request: Omit<FollowRequest, "from">): readonly string[] =>
  followFilters(subjects("ns", 16), { from: 1, ...request });

test("everything is one filter", () => {
  expect(filters({})).toEqual(["ns.>"]);
});

test("topics and types narrow independently", () => {
  expect(filters({ topics: ["orders"], types: [] })).toEqual(["ns.*.in.topic.orders.>"]);
  expect(filters({ topics: [], types: ["account"] })).toEqual([
    "ns.*.in.agent.account.>",
    "ns.*.journal.account.>",
    "ns.*.dead.account.>",
  ]);
  expect(filters({ topics: [], types: [] })).toEqual([]);
});

test("the turns of one agent type are one filter", () => {
  expect(filters({ types: ["account"], kinds: ["turn"] })).toEqual(["ns.*.journal.account.>"]);
});

test("a filter that the server refuses ends the following with an error", async () => {
  await using server = await startNatsServer();
  const log = await connectLog({ servers: server.url });
  await log.accept({
    address: { kind: "topic", name: "orders", key: "a" },
    metadata: {},
    payload: Buffer.from("{}"),
  });
  const entries = log.follow({ from: 1, topics: ["no topic"], types: [] })[Symbol.asyncIterator]();
  await expect(entries.next()).rejects.toMatchObject({ code: "log-refused" });
  await log.close();
});
