/** The growth rows as pictures: speed on the left, latency on the right. */
import type { Line, LineChart } from "./line-chart.ts";
import type { BenchRow } from "./measure.ts";

const axes: Readonly<Record<string, string>> = {
  keys: "keys",
  payload: "payload, bytes",
  history: "turns of history per key",
};

/** A picture for each dimension that rows tell of. */
export function growthCharts(
  rows: readonly BenchRow[],
): Readonly<Record<string, readonly LineChart[]>> {
  const pictures: Record<string, readonly LineChart[]> = {};
  for (const [dimension, xLabel] of Object.entries(axes)) {
    const line = (name: string, suffix: string): Line => ({
      name,
      points: pointsOf(rows, dimension, suffix),
    });
    const speed = line("turns/s", "turns");
    if (speed.points.length < 2) continue;
    pictures[`growth-${dimension}`] = [
      { title: `Turns per second by ${dimension}`, xLabel, yLabel: "turns/s", lines: [speed] },
      {
        title: `Latency of one ask at a time by ${dimension}`,
        xLabel,
        yLabel: "milliseconds",
        lines: [line("p50", "p50"), line("p99", "p99"), line("cold p50, no snapshot", "cold")],
      },
    ];
  }
  return pictures;
}

function pointsOf(
  rows: readonly BenchRow[],
  dimension: string,
  suffix: string,
): readonly (readonly [number, number])[] {
  const pattern = new RegExp(`^growth-${dimension}-(\\d+)-${suffix}$`);
  return rows
    .flatMap(({ name, ours }) => {
      const size = Number(pattern.exec(name)?.[1]);
      return Number.isNaN(size) || ours === null ? [] : [[size, ours] as const];
    })
    .toSorted(([a], [b]) => a - b);
}
