/** Views of a CPU profile: a tree, shares by whose code it is, and a picture. */
import type { Profiler } from "node:inspector";

import { expect, test } from "vitest";

import { byArea, byFunction, callTree } from "./call-tree.ts";
import { flameGraph } from "./flame-graph.ts";

const frame = (
  functionName: string,
  url = "",
  lineNumber = 9,
): Profiler.ProfileNode["callFrame"] => ({
  functionName,
  url,
  lineNumber,
  columnNumber: 0,
  scriptId: "1",
});

/** Two turns under the same caller, one write, one collection, and waiting. */
const profile: Profiler.Profile = {
  nodes: [
    { id: 1, callFrame: frame("(root)"), children: [2, 5, 6] },
    { id: 2, callFrame: frame("pump", "file:///x/packages/core/src/mailbox.ts"), children: [3, 4] },
    { id: 3, callFrame: frame("push") },
    { id: 4, callFrame: frame("send", "file:///x/node_modules/@nats-io/client.js"), children: [7] },
    { id: 5, callFrame: frame("(garbage collector)") },
    { id: 6, callFrame: frame("(idle)") },
    { id: 7, callFrame: frame("writeBuffer") },
  ],
  startTime: 0,
  endTime: 1000,
  samples: [2, 3, 7, 5, 6, 3],
  timeDeltas: [100, 200, 300, 50, 1000, 40],
};

test("time is summed up the calls, and waiting is left out", () => {
  const root = callTree(profile);
  expect(root.totalUs).toBe(690);
  const pump = root.children.get("pump src/mailbox.ts:10");
  expect(pump).toMatchObject({ selfUs: 100, totalUs: 640 });
  expect(pump?.children.get("push")).toMatchObject({ selfUs: 240, totalUs: 240 });
});

test("what is native belongs to who called it, but for writes", () => {
  expect(byArea(callTree(profile))).toEqual([
    ["engine", 340],
    ["socket writes", 300],
    ["garbage collection", 50],
  ]);
  expect(byFunction(callTree(profile))[0]).toEqual(["writeBuffer", 300]);
});

test("the picture is as wide as the time, and shows names where they fit", () => {
  const svg = flameGraph(callTree(profile), "turns <here>");
  expect(svg).toContain("turns &lt;here&gt;");
  expect(svg).toContain("<title>all: 100.0 %</title>");
  expect(svg).toContain(
    `<title>pump src/mailbox.ts:10: ${((100 * 640) / 690).toFixed(1)} %</title>`,
  );
  expect(svg).toContain("socket writes 43 %");
  const width = (name: string): number =>
    Number(new RegExp(`<title>${name}.*?width="([\\d.]+)"`).exec(svg)?.[1]);
  expect(width("writeBuffer") / width("push")).toBeCloseTo(300 / 240, 1);
});

test("what is too narrow to be seen is left out", () => {
  const tiny = { ...profile, timeDeltas: [100, 200_000, 300, 1, 1000, 40] };
  expect(flameGraph(callTree(tiny), "turns")).not.toContain("(garbage collector)");
});
