#!/usr/bin/env node
/**
 * `npm run profile`: where the time of the hot loops goes. Prints the CPU of process and broker,
 * and the shares of the process by whose code it is; draws a flame graph of each.
 */
import { mkdir, writeFile } from "node:fs/promises";
import { Session } from "node:inspector/promises";
import type { Profiler } from "node:inspector";
import { join } from "node:path";
import { parseArgs } from "node:util";

import type { Stage } from "../stage.ts";
import { openStage } from "../stage.ts";
import { byArea, byFunction, callTree } from "./call-tree.ts";
import { flameGraph } from "./flame-graph.ts";
import type { HotLoop } from "./hot-loops.ts";
import { hotLoops } from "./hot-loops.ts";

const help = `npm run profile [-- NAME… options]

  --count N    turns, asks or events in a loop, 60000 unless told
  --into DIR   put a flame graph of each loop there, as flame-NAME.svg
  --help       this text

Loops, all of them unless named:

${hotLoops.map(({ name, what }) => `  ${name.padEnd(9)}${what}`).join("\n")}
`;

interface Found {
  readonly profile: Profiler.Profile;
  /** All per item, in microseconds. */
  readonly wallUs: number;
  readonly processUs: number;
  readonly brokerUs: number;
}

async function main(): Promise<void> {
  const { positionals, values } = parseArgs({
    allowPositionals: true,
    options: {
      count: { type: "string", default: "60000" },
      into: { type: "string" },
      help: { type: "boolean", short: "h", default: false },
    },
  });
  if (values.help) return void process.stdout.write(help);
  const count = Number(values.count);
  if (!Number.isInteger(count) || count < 1) throw new Error("--count takes a number from 1 on.");
  for (const name of positionals) {
    if (!hotLoops.some((loop) => loop.name === name)) throw new Error(`No loop is named ${name}.`);
  }
  const wanted = hotLoops.filter(
    ({ name }) => positionals.length === 0 || positionals.includes(name),
  );
  for (const loop of wanted) {
    const found = await profiled(loop, count);
    const tree = callTree(found.profile);
    process.stdout.write(report(loop, found, tree));
    if (values.into === undefined) continue;
    await mkdir(values.into, { recursive: true });
    await writeFile(join(values.into, `flame-${loop.name}.svg`), flameGraph(tree, loop.what));
  }
}

async function profiled(loop: HotLoop, count: number): Promise<Found> {
  // A stage of its own each, so that no worker of another loop still runs.
  await using stage = await openStage();
  const warmUp = await loop.prepare(stage, Math.ceil(count / 3));
  await warmUp();
  const run = await loop.prepare(stage, count);
  return await measured(stage, count, run);
}

async function measured(stage: Stage, count: number, run: () => Promise<void>): Promise<Found> {
  const session = new Session();
  session.connect();
  await session.post("Profiler.enable");
  await session.post("Profiler.setSamplingInterval", { interval: 200 });
  await session.post("Profiler.start");
  const brokerBefore = stage.brokerCpuSeconds();
  const cpuBefore = process.cpuUsage();
  const startedAt = performance.now();
  await run();
  const wallMs = performance.now() - startedAt;
  const { system, user } = process.cpuUsage(cpuBefore);
  const brokerSeconds = stage.brokerCpuSeconds() - brokerBefore;
  const { profile } = await session.post("Profiler.stop");
  session.disconnect();
  return {
    profile,
    wallUs: (wallMs * 1000) / count,
    processUs: (system + user) / count,
    brokerUs: (brokerSeconds * 1e6) / count,
  };
}

function report(
  { name, unit, what }: HotLoop,
  { brokerUs, processUs, wallUs }: Found,
  tree: ReturnType<typeof callTree>,
): string {
  const share = (us: number): string => `${((100 * us) / tree.totalUs).toFixed(1).padStart(5)} %`;
  return [
    `${name}: ${what}`,
    `  per ${unit}, in µs: ${wallUs.toFixed(1)} wall, ${processUs.toFixed(1)} CPU of the process, ${brokerUs.toFixed(1)} of the broker`,
    "  busy time of the process by whose code it is:",
    ...byArea(tree).map(([area, us]) => `  ${share(us)}  ${area}`),
    "  and the functions that take most themselves:",
    ...byFunction(tree)
      .slice(0, 12)
      .map(([called, us]) => `  ${share(us)}  ${called}`),
    "",
    "",
  ].join("\n");
}

try {
  await main();
  process.exit(0);
} catch (error) {
  process.stderr.write(`profile: ${error instanceof Error ? error.message : String(error)}\n`);
  process.exit(1);
}
