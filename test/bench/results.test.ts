/** Forms in which results are shown: in a terminal, in Markdown, and as pictures. */
import { describe, expect, test } from "vitest";

import type { Benchmark } from "./benchmark.ts";
import { growthCharts } from "./growth-charts.ts";
import { lineCharts } from "./line-chart.ts";
import { markdown, withResults } from "./markdown.ts";
import { unmeasured } from "./measure.ts";
import type { BenchRow } from "./measure.ts";
import { groupedRows, table } from "./table.ts";

const row: BenchRow = {
  name: "replay-100-decoded",
  unit: "events/s",
  ours: 1_234_567,
  versus: "raw loop: atomic batches, ack per message; everything else as it is in all other rows",
  theirs: 473_000_000,
  ratio: 0.002_61,
  spread: 0.34,
  goal: "ratio >= 0.8",
  reached: false,
};
const replay: Benchmark = {
  name: "replay",
  what: "A sentence that is long enough to be wrapped where there are only 80 columns for all of it.",
  parts: [{ rows: "replay-100", run: async () => [] }],
};
const groups = groupedRows([replay], [row, { ...row, name: "replay-100-journal" }]);

describe("the table", () => {
  test.each([80, 140])("fits into %i columns", (columns) => {
    const lines = table(groups, columns).split("\n");
    expect(Math.max(...lines.map(({ length }) => length))).toBeLessThanOrEqual(columns);
  });

  test("shows figures, judgement, and what is compared once for all rows of a kind", () => {
    const text = table(groups, 140);
    expect(text).toMatch(
      /decoded +1,235,000 +473M +events\/s +0\.00261 +±17 % +MISSED ratio >= 0\.8/,
    );
    expect(text.match(/theirs: raw loop/g)).toHaveLength(1);
  });

  test("writes no exponents", () => {
    const extremes = [0.000_02, 1, 1749].map((ratio) => ({ ...row, ratio }));
    expect(table(groupedRows([replay], extremes), 140)).toMatch(
      /<0\.001.*\n.* 1\.00 .*\n.* 1,749 /,
    );
  });

  test("tells of what could not be measured", () => {
    const absent = unmeasured("failover", "cannot run here: no SIGKILL", null);
    expect(table(groupedRows([replay], [absent]), 80)).toContain("cannot run here: no SIGKILL");
  });
});

describe("Markdown", () => {
  test("takes the place between the marks and nothing else", () => {
    const file = "# Results\n<!-- results -->\nold\n<!-- /results -->\nWhat they say\n";
    const text = withResults(file, markdown(groups, { replay: ["results/replay.svg"] }));
    expect(text).toMatch(/^# Results\n<!-- results -->\n\n### replay\n/);
    expect(text).toMatch(/<!-- \/results -->\nWhat they say\n$/);
    expect(text).toContain("| **missed** ratio >= 0.8 |");
    expect(text).toContain("![replay](results/replay.svg)");
    expect(text).not.toContain("old");
    expect(withResults(text, markdown(groups, { replay: ["results/replay.svg"] }))).toBe(text);
  });

  test("refuses a file without marks", () => {
    expect(() => withResults("# Results\n", "")).toThrow("no place for results");
  });
});

describe("a chart", () => {
  test("has a point for every row of its dimension, by size", () => {
    const sizes = [10_000, 1000, 100_000];
    const rows = sizes.flatMap((keys) =>
      ["turns", "p50", "p99", "cold"].map((figure) => ({
        ...row,
        name: `growth-keys-${keys}-${figure}`,
        ours: keys / 10,
      })),
    );
    const [speed, latency] = growthCharts(rows)["growth-keys"] ?? [];
    expect(speed?.lines.map(({ points }) => points)).toEqual([
      [
        [1000, 100],
        [10_000, 1000],
        [100_000, 10_000],
      ],
    ]);
    expect(latency?.lines.map(({ name }) => name)).toEqual(["p50", "p99", "cold p50, no snapshot"]);
  });

  test("puts a tenfold step at the same distance everywhere, larger values higher", () => {
    const points = [
      [10, 1],
      [100, 10],
      [1000, 100],
    ] as const;
    const axes = { title: "<t>", xLabel: "x & y", yLabel: "y" };
    const svg = lineCharts([{ ...axes, lines: [{ name: "line", points }] }]);
    const places = [...svg.matchAll(/<circle cx="([\d.]+)" cy="([\d.]+)"/g)].map(([, x, y]) => [
      Number(x),
      Number(y),
    ]);
    const [[x1, y1] = [], [x2, y2] = [], [x3, y3] = []] = places;
    expect(Number(x2) - Number(x1)).toBeCloseTo(Number(x3) - Number(x2), 0);
    expect(Number(y1) - Number(y2)).toBeCloseTo(Number(y2) - Number(y3), 0);
    expect(Number(x1)).toBeLessThan(Number(x2));
    expect(Number(y1)).toBeGreaterThan(Number(y2));
    expect(svg).toContain("&lt;t&gt;");
    expect(svg).not.toMatch(/NaN|Infinity|undefined/);
  });

  test("of a single point, of equal values and of nothing is still a picture", () => {
    const axes = { title: "t", xLabel: "x", yLabel: "y" };
    for (const points of [
      [[10, 5]],
      [
        [1, 5],
        [10, 5],
      ],
      [],
    ] as const) {
      const svg = lineCharts([{ ...axes, lines: [{ name: "line", points }] }]);
      expect(svg).toMatch(/^<svg /);
      expect(svg).not.toMatch(/NaN|Infinity|undefined/);
    }
  });
});
