/** The arithmetic behind every row. */
import { describe, expect, test } from "vitest";

import { atMost, ratioAtLeast } from "./goal.ts";
import { compared, contest, match, measured, median, percentile } from "./measure.ts";

describe("a contest", () => {
  test("is run in turns, and its first round does not count", async () => {
    const order: string[] = [];
    const figures = { ours: [1, 20, 40], theirs: [1000, 10, 10] };
    const run = (who: "ours" | "theirs") => async () => {
      order.push(who);
      return figures[who].shift() ?? Number.NaN;
    };
    const rows = await contest({
      name: "race",
      unit: "turns/s",
      versus: "somebody",
      better: "more",
      goal: ratioAtLeast(3.5),
      rounds: 2,
      ours: run("ours"),
      theirs: run("theirs"),
    });
    expect(order).toEqual(["theirs", "ours", "theirs", "ours", "theirs", "ours"]);
    expect(rows).toEqual([
      {
        name: "race",
        unit: "turns/s",
        ours: 30,
        versus: "somebody",
        theirs: 10,
        ratio: 3,
        spread: 0.6667,
        goal: "ratio >= 3.5",
        reached: false,
      },
    ]);
  });

  test("in several disciplines makes a row of each from the same rounds", async () => {
    let rounds = 0;
    const rows = await match({
      versus: "somebody",
      rounds: 3,
      disciplines: {
        fast: { name: "fast", unit: "turns/s", better: "more" },
        late: { name: "late", unit: "ms", better: "less", goal: atMost(2) },
      },
      async ours() {
        rounds += 1;
        return { fast: 100, late: 2 };
      },
      theirs: async () => ({ fast: 50, late: 1 }),
    });
    expect(rounds).toBe(4);
    expect(rows.map(({ name, ratio, reached }) => ({ name, ratio, reached }))).toEqual([
      { name: "fast", ratio: 2, reached: null },
      { name: "late", ratio: 0.5, reached: true },
    ]);
  });
});

test("what has no figure is null, so that JSON keeps it", () => {
  const { ours, ratio } = compared(
    { name: "cpu", unit: "µs", better: "less" },
    "somebody",
    [Number.NaN],
    [1],
  );
  expect({ ours, ratio }).toEqual({ ours: null, ratio: null });
});

test("a figure without a rival is judged by itself", () => {
  const late = { name: "late", unit: "ms", versus: "alone", goal: atMost(10) };
  expect(measured({ ...late, ours: 10 }).reached).toBe(true);
  expect(measured({ ...late, ours: 10.1 }).reached).toBe(false);
  expect(measured({ ...late, ours: [8, 12] })).toMatchObject({ ours: 10, spread: 0.4 });
});

test("percentiles are values that occurred, the median lies in the middle", () => {
  const values = [5, 1, 4, 2, 3, 6];
  expect(percentile(values, 0.5)).toBe(3);
  expect(percentile(values, 0.99)).toBe(6);
  expect(median(values)).toBe(3.5);
});
