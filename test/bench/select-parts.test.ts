/** Tests of what `--only` means. */
import { describe, expect, test } from "vitest";

import type { Benchmark } from "./benchmark.ts";
import { benchmarks } from "./benchmarks.ts";
import { benchmarkOf, selectParts } from "./select-parts.ts";

const benchmark = (name: string, rows: readonly string[], isOptIn = false): Benchmark => ({
  name,
  what: "",
  isOptIn,
  parts: rows.map((each) => ({ rows: each, run: async () => [] })),
});
const ask = benchmark("ask", ["ask-1", "ask-16"]);
const halfLoad = benchmark("half-load", ["ask-half-load"]);
const soak = benchmark("soak", ["soak"], true);
const all = [ask, halfLoad, soak];
const rowsOf = (...names: string[]): string[] =>
  selectParts(all, names).map(({ part }) => part.rows);

describe("--only", () => {
  test("without a name is everything but what must be named", () => {
    expect(rowsOf()).toEqual(["ask-1", "ask-16", "ask-half-load"]);
    expect(rowsOf("soak")).toEqual(["soak"]);
  });

  test("takes a benchmark's name", () => {
    expect(rowsOf("ask")).toEqual(["ask-1", "ask-16"]);
  });

  test("takes the beginning of rows, and only those rows are wanted", () => {
    expect(rowsOf("ask-h")).toEqual(["ask-half-load"]);
    const [selected] = selectParts(all, ["ask-16-p99"]);
    expect(selected?.part.rows).toBe("ask-16");
    expect(selected?.wants({ name: "ask-16-p99" })).toBe(true);
    expect(selected?.wants({ name: "ask-16-p50" })).toBe(false);
  });

  test("refuses a name that means nothing", () => {
    expect(() => rowsOf("asks")).toThrow("No benchmark and no row begins with asks");
  });
});

test("a row belongs to the benchmark that names it most exactly", () => {
  expect(benchmarkOf(all, { name: "ask-16-p99" })).toBe(ask);
  expect(benchmarkOf(all, { name: "ask-160" })).toBeUndefined();
  const [turns, strict] = [benchmark("turns", ["turns"]), benchmark("strict", ["turns-strict"])];
  expect(benchmarkOf([strict, turns], { name: "turns-strict" })).toBe(strict);
});

test("no two benchmarks share a name, and no two parts their rows", () => {
  const names = benchmarks.map(({ name }) => name);
  const rows = benchmarks.flatMap(({ parts }) => parts.map((part) => part.rows));
  expect(names).toEqual([...new Set(names)]);
  expect(rows).toEqual([...new Set(rows)]);
});
