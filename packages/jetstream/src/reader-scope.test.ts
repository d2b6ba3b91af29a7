import { expect, test } from "vitest";

import type { Link } from "./link.ts";
import { ReaderScope, takesSeveralFilters } from "./reader-scope.ts";
import { subjects as subjectsOf } from "./subjects.ts";

const subjects = subjectsOf("acme.desk", 16);
const all = ["acme.desk.3.in.>"];
const ours = "acme.desk.3.in.agent.account.alice";
const others = "acme.desk.3.in.agent.accounts.alice";
const wanted = ["acme.desk.3.in.agent.account.>", "acme.desk.3.in.topic.news.>"];

/** Whether other filters became better while so many came. */
function bring(
  scope: ReaderScope,
  { count, of, pending }: { count: number; of: string; pending: number },
): boolean {
  return Array.from({ length: count }, () => scope.received(of, pending)).includes(true);
}

test("everything is read when nothing is said about it", () => {
  expect(new ReaderScope(subjects, { source: 3 }, true).filters).toEqual(all);
});

test("SCOPE-1: what one filter can say is asked for, whatever there is", () => {
  const scope = new ReaderScope(subjects, { source: 3, types: ["account"], topics: [] }, true);
  expect(scope.filters).toEqual(wanted.slice(0, 1));
  expect(bring(scope, { count: 1024, of: ours, pending: 100_000 })).toBe(false);
  expect(scope.filters).toEqual(wanted.slice(0, 1));
});

test("SCOPE-2, SCOPE-3: several filters are asked for near the end, among others", () => {
  const scope = new ReaderScope(
    subjects,
    { source: 3, types: ["account"], topics: ["news"] },
    true,
  );
  expect(scope.filters, "at first nobody knows how far the end is").toEqual(all);
  expect(bring(scope, { count: 1024, of: others, pending: 100_000 })).toBe(false);
  expect(bring(scope, { count: 1024, of: ours, pending: 10 }), "there are no others").toBe(false);
  expect(scope.filters).toEqual(all);
  expect(bring(scope, { count: 128, of: others, pending: 10 })).toBe(true);
  expect(scope.filters).toEqual(wanted);
  expect(bring(scope, { count: 1024, of: ours, pending: 1000 })).toBe(false);
  expect(bring(scope, { count: 1, of: ours, pending: 5000 }), "it fell behind").toBe(true);
  expect(scope.filters).toEqual(all);
});

test("a worker of very many types reads the whole partition", () => {
  const types = Array.from({ length: 65 }, (_, i) => `type-${i}`);
  const scope = new ReaderScope(subjects, { source: 3, types }, true);
  expect(bring(scope, { count: 1024, of: others, pending: 0 })).toBe(false);
  expect(scope.filters).toEqual(all);
});

test("SCOPE-4: a server that loses messages of several filters is not asked for several", () => {
  const wanting = { source: 3, types: ["account"], topics: ["news"] };
  const scope = new ReaderScope(subjects, wanting, false);
  expect(bring(scope, { count: 1024, of: others, pending: 0 })).toBe(false);
  expect(scope.filters).toEqual(all);
  const on = (version: string) =>
    takesSeveralFilters({ connection: { info: { version } } } as Pick<Link, "connection">);
  expect(["2.14.4", "2.15.0", "2.15.1", "2.16.0"].map(on)).toEqual([false, false, true, true]);
});
