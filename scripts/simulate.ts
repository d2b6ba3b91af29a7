#!/usr/bin/env node
/**
 * `npm run simulate`: the systems of test/simulation under faults, many seeds of each.
 *
 * Prints the shortest history of what fails, and ends with one line of JSON.
 */
import { parseArgs } from "node:util";

import { simulateSeeds, SimulationFailedError } from "@troupe/core/testing";

import { simulateAgain, systems } from "../test/simulation/systems.ts";

const help = `npm run simulate -- [options]

  --seeds N      seeds per system, 200 unless told
  --from S       the first seed, 1 unless told
  --system NAME  one system: ${Object.keys(systems).join(", ")}
  --help         this text

Ends with {seeds, systems, from, runs, failures, steps, seconds}. A system ends at its first failure.
`;

interface Tally {
  runs: number;
  failures: number;
  steps: number;
}

async function main(): Promise<number> {
  const { values } = parseArgs({
    options: {
      seeds: { type: "string", default: "200" },
      from: { type: "string", default: "1" },
      system: { type: "string" },
      help: { type: "boolean", default: false },
    },
  });
  const seeds = Number(values.seeds);
  const from = Number(values.from);
  const names = Object.keys(systems).filter((name) => (values.system ?? name) === name);
  const isUsable =
    Number.isSafeInteger(seeds) && seeds > 0 && Number.isSafeInteger(from) && from >= 0;
  if (values.help || !isUsable || names.length === 0) {
    process.stdout.write(help);
    return values.help ? 0 : 2;
  }
  const startedAtMs = performance.now();
  const tally: Tally = { runs: 0, failures: 0, steps: 0 };
  for (const name of names) await simulateSystem(name, seeds, from, tally);
  const seconds = Number(((performance.now() - startedAtMs) / 1000).toFixed(1));
  console.log(JSON.stringify({ seeds, systems: names.length, from, ...tally, seconds }));
  return tally.failures === 0 ? 0 : 1;
}

async function simulateSystem(
  name: string,
  count: number,
  from: number,
  tally: Tally,
): Promise<void> {
  const system = systems[name];
  if (system === undefined) return;
  const startedAtMs = performance.now();
  const add = ({ runs, steps }: Omit<Tally, "failures">): void => {
    tally.runs += runs;
    tally.steps += steps;
    const perRunMs = (performance.now() - startedAtMs) / runs;
    console.log(`${name}: ${runs} runs, ${steps} steps, ${perRunMs.toFixed(1)} ms per run`);
  };
  try {
    add(
      await simulateSeeds({ ...system, count, from, again: (seed) => simulateAgain(name, seed) }),
    );
  } catch (thrown) {
    if (!(thrown instanceof SimulationFailedError)) throw thrown;
    tally.failures += 1;
    add(thrown.summary);
    console.log(`\n${thrown.message}\n`);
  }
}

process.exitCode = await main();
