#!/usr/bin/env node
/**
 * `npm run bench`: what Troupe costs, as ratios against the same work done by hand on the same
 * broker in the same run.
 *
 * Timings never decide a test; they are measured here and a row that misses its goal says so.
 */
import { writeFile } from "node:fs/promises";
import { parseArgs } from "node:util";

import { benchActivation } from "./activation.ts";
import { benchAsk } from "./ask.ts";
import type { BenchRow } from "./measure.ts";
import { openStage } from "./stage.ts";
import type { Stage } from "./stage.ts";
import { benchTurns } from "./turns.ts";

const help = (): string => `npm run bench [-- options]

  --only NAME   one benchmark: ${Object.keys(benchmarks).join(", ")}
  --quick       fewer and shorter rounds
  --json FILE   write the rows as an array of
                {name, unit, ours, versus, theirs, ratio, spread, goal, reached}
  --help        this text

A ratio above 1 is good for Troupe. The spread is (largest - smallest) / median of the rounds' ratios.
`;

type Benchmark = (stage: Stage, quick: boolean) => Promise<readonly BenchRow[]>;

const benchmarks: Readonly<Record<string, Benchmark>> = {
  turns: (stage, quick) =>
    benchTurns(stage, quick ? { turns: 20_000, rounds: 2 } : { turns: 60_000, rounds: 5 }),
  ask: (stage, quick) =>
    benchAsk(stage, quick ? { asks: 500, rounds: 2 } : { asks: 2000, rounds: 5 }),
  activation: (stage, quick) =>
    benchActivation(
      stage,
      quick
        ? { histories: [10, 10_000], agents: 20 }
        : { histories: [10, 10_000, 100_000], agents: 50 },
    ),
};

async function main(): Promise<number> {
  const { values } = parseArgs({
    options: {
      only: { type: "string" },
      quick: { type: "boolean", default: false },
      json: { type: "string" },
      help: { type: "boolean", short: "h", default: false },
    },
  });
  if (values.help) {
    process.stdout.write(help());
    return 0;
  }
  const chosen = Object.entries(benchmarks).filter(
    ([name]) => values.only === undefined || name === values.only,
  );
  if (chosen.length === 0)
    throw new Error(`--only takes one of: ${Object.keys(benchmarks).join(", ")}`);
  const rows: BenchRow[] = [];
  await using stage = await openStage();
  for (const [name, run] of chosen) {
    process.stderr.write(`${name}\n`);
    rows.push(...(await run(stage, values.quick)));
  }
  process.stdout.write(`${table(rows)}\n`);
  if (values.json !== undefined) await writeFile(values.json, `${JSON.stringify(rows, null, 2)}\n`);
  return 0;
}

function table(rows: readonly BenchRow[]): string {
  const cells = rows.map((row) => [
    row.name,
    `${row.ours} ${row.unit}`,
    `${row.theirs} ${row.unit}`,
    row.ratio.toFixed(2),
    `±${Math.round(row.spread * 50)} %`,
    row.reached ? row.goal : `MISSED ${row.goal}`,
    row.versus,
  ]);
  const head = ["", "ours", "theirs", "ratio", "spread", "goal", "theirs is"];
  const widths = head.map((title, column) =>
    Math.max(title.length, ...cells.map((line) => line[column]?.length ?? 0)),
  );
  return [head, ...cells]
    .map((line) =>
      line
        .map((cell, column) => cell.padEnd(widths[column] ?? 0))
        .join("  ")
        .trimEnd(),
    )
    .join("\n");
}

try {
  process.exitCode = await main();
} catch (error) {
  process.stderr.write(
    `bench: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`,
  );
  process.exitCode = 1;
}
