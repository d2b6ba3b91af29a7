#!/usr/bin/env node
/**
 * `npm run bench`: what Troupe costs, as ratios against the same work done by hand on the same
 * broker in the same run, and what it keeps up under load.
 *
 * Timings never decide a test; they are measured here and a row that misses its goal says so.
 */
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { cpus, platform, totalmem } from "node:os";
import { dirname, join } from "node:path";
import { parseArgs } from "node:util";

import { findNatsServer } from "@troupe/jetstream/server";

import { benchmarks } from "./benchmarks.ts";
import { lineCharts } from "./line-chart.ts";
import { markdown, withResults } from "./markdown.ts";
import type { BenchRow } from "./measure.ts";
import { runParts } from "./run-parts.ts";
import { selectParts } from "./select-parts.ts";
import { groupedRows, table } from "./table.ts";

const help = `npm run bench [-- options]

  --only NAME      a benchmark, or rows by the beginning of their names; repeatable
  --quick          fewer and shorter rounds: to see that everything works
  --minutes N      how long the soak lasts, 60 unless told
  --json FILE      write the rows as an array of
                   {name, unit, ours, versus, theirs, ratio, spread, goal, reached}
  --from FILE      take the rows from there instead of measuring
  --markdown FILE  put the tables between the result marks of FILE, and the
                   charts into results/ beside it
  --help           this text

Benchmarks:

${benchmarks.map(({ isOptIn, name, what }) => `  ${name}${isOptIn === true ? " (only when named)" : ""}\n      ${what}`).join("\n")}

A ratio above 1 is good for Troupe. The spread is (largest - smallest) / median
of the rounds; the table shows half of it, as ±.
`;

async function main(): Promise<number> {
  const { values } = parseArgs({
    options: {
      only: { type: "string", multiple: true, default: [] },
      quick: { type: "boolean", default: false },
      minutes: { type: "string", default: "60" },
      json: { type: "string" },
      from: { type: "string" },
      markdown: { type: "string" },
      help: { type: "boolean", short: "h", default: false },
    },
  });
  if (values.help) return say(help, 0);
  const minutes = Number(values.minutes);
  if (!(minutes > 0)) throw new Error("--minutes takes a number above 0.");
  const parts = selectParts(benchmarks, values.only);
  const rows: BenchRow[] = [];
  let isWhole = true;
  if (values.from === undefined) {
    isWhole = await runParts(parts, {
      quick: values.quick,
      minutes,
      progress: (line) => process.stderr.write(`${line}\n`),
      async onRows(more) {
        rows.push(...more);
        // After each part: what was measured survives whatever comes.
        if (values.json !== undefined) await writeFile(values.json, jsonOf(rows));
      },
    });
  } else {
    rows.push(...(JSON.parse(await readFile(values.from, "utf8")) as BenchRow[]));
  }
  if (values.markdown !== undefined) await record(values.markdown, rows);
  const text = table(groupedRows(benchmarks, rows), process.stdout.columns ?? columnsUntold);
  const where = values.from === undefined ? `${await systemLine()}\n\n` : "";
  return say(`${where}${text}\n`, isWhole ? 0 : 1);
}

const columnsUntold = 80;

function jsonOf(rows: readonly BenchRow[]): string {
  return `${JSON.stringify(rows, null, 2)}\n`;
}

/** Tables into the file, charts beside it. */
async function record(file: string, rows: readonly BenchRow[]): Promise<void> {
  const groups = groupedRows(benchmarks, rows);
  const pictures: Record<string, string[]> = {};
  for (const { benchmark, name, rows: own } of groups) {
    for (const [picture, charts] of Object.entries(benchmark?.charts?.(own) ?? {})) {
      const path = `results/${picture}.svg`;
      await mkdir(join(dirname(file), "results"), { recursive: true });
      await writeFile(join(dirname(file), path), lineCharts(charts));
      (pictures[name] ??= []).push(path);
    }
  }
  const text = await readFile(file, "utf8");
  await writeFile(file, withResults(text, markdown(groups, pictures)));
}

async function systemLine(): Promise<string> {
  const { version } = await findNatsServer();
  const memory = `${Math.round(totalmem() / 2 ** 30)} GiB`;
  const [first] = cpus();
  const cores = `${cpus().length} cores (${first?.model.trim() ?? "unknown"}), shared with the broker`;
  return `${cores}; ${memory}, ${platform()}, Node ${process.versions.node}, nats-server ${version}, one replica, file storage`;
}

/** Resolves with the exit code when all is written, also into a pipe. */
function say(text: string, code: number): Promise<number> {
  return new Promise((resolve) => process.stdout.write(text, () => resolve(code)));
}

// A part that was given up may still hold something, so the end does not wait for it.
try {
  process.exit(await main());
} catch (error) {
  process.stderr.write(
    `bench: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`,
  );
  process.exit(1);
}
