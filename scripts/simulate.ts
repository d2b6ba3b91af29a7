#!/usr/bin/env node
/**
 * `npm run simulate`: the systems of test/simulation under faults, many seeds of each, shared by
 * several processes.
 *
 * Prints the shortest history of what fails, and ends with one line of JSON.
 */
import { fork } from "node:child_process";
import { once } from "node:events";
import { parseArgs } from "node:util";

import { simulateSeeds, SimulationFailedError, type FaultKind } from "@troupe/testing";

import { simulateAgain, systems } from "../test/simulation/systems.ts";

const help = `npm run simulate -- [options]

  --seeds N       seeds per system, 200 unless told
  --from S        the first seed, 1 unless told
  --system NAMES  some systems: ${Object.keys(systems).join(", ")}
  --faults KINDS  only these kinds of faults, such as crash,stale
  --processes N   processes that share the systems, 2 unless told
  --help          this text

Ends with {seeds, systems, from, runs, failures, steps, seconds}. A system ends at its first failure.
`;

interface SeedOrder {
  readonly seeds: number;
  readonly from: number;
  readonly faults: readonly FaultKind[] | undefined;
}

/** Outcome of one system, as one process tells another. */
interface Outcome {
  readonly runs: number;
  readonly steps: number;
  readonly seconds: number;
  /** Shortest history that failed, if any did. */
  readonly failure: string | undefined;
}

async function main(): Promise<number> {
  const { values } = parseArgs({
    options: {
      seeds: { type: "string", default: "200" },
      from: { type: "string", default: "1" },
      system: { type: "string" },
      faults: { type: "string" },
      processes: { type: "string", default: "2" },
      help: { type: "boolean", default: false },
    },
  });
  const chosen = values.system?.split(",");
  const names = Object.keys(systems).filter((name) => chosen?.includes(name) ?? true);
  const faults = values.faults?.split(",") as FaultKind[] | undefined;
  const wanted = { seeds: Number(values.seeds), from: Number(values.from), faults };
  const processes = Number(values.processes);
  const counts = [wanted.seeds, processes, wanted.from + 1, names.length];
  if (values.help || !counts.every((count) => Number.isSafeInteger(count) && count > 0)) {
    process.stdout.write(help);
    return values.help ? 0 : 2;
  }
  const startedAtMs = performance.now();
  const tally = { runs: 0, failures: 0, steps: 0 };
  const left = [...names];
  const share = async (): Promise<void> => {
    for (let name = left.shift(); name !== undefined; name = left.shift()) {
      const outcome = await simulateElsewhere(name, wanted);
      tally.runs += outcome.runs;
      tally.steps += outcome.steps;
      if (outcome.failure !== undefined) tally.failures += 1;
      tell(name, outcome);
    }
  };
  await Promise.all(Array.from({ length: processes }, share));
  const { from, seeds } = wanted;
  const seconds = Number(((performance.now() - startedAtMs) / 1000).toFixed(1));
  console.log(JSON.stringify({ seeds, systems: names.length, from, ...tally, seconds }));
  return tally.failures === 0 ? 0 : 1;
}

function tell(name: string, { failure, runs, seconds, steps }: Outcome): void {
  const perRunMs = ((seconds * 1000) / Math.max(1, runs)).toFixed(1);
  console.log(`${name}: ${runs} runs, ${steps} steps, ${perRunMs} ms per run`);
  if (failure !== undefined) console.log(`\n${failure}\n`);
}

/** A system has its process for itself: what one of them keeps does not slow the next one down. */
async function simulateElsewhere(name: string, wanted: SeedOrder): Promise<Outcome> {
  const child = fork(import.meta.filename, [part, JSON.stringify({ name, ...wanted })], {
    execArgv: process.execArgv,
  });
  const ended = once(child, "exit");
  let outcome: Outcome | undefined;
  child.on("message", (told) => (outcome = told as Outcome));
  await ended;
  const failure = `${name} ended without a word: exit code ${child.exitCode}`;
  return outcome ?? { runs: 0, steps: 0, seconds: 0, failure };
}

async function simulateSystem(name: string, wanted: SeedOrder): Promise<Outcome> {
  const { faults, from, seeds } = wanted;
  const system = systems[name];
  if (system === undefined) throw new Error(`There is no system ${name}.`);
  const startedAtMs = performance.now();
  const outcome = (summary: { readonly runs: number; readonly steps: number }): Outcome => ({
    ...summary,
    seconds: (performance.now() - startedAtMs) / 1000,
    failure: undefined,
  });
  const again = (seed: number): string => simulateAgain(name, seed, faults);
  const chosen = { ...system.faults, ...(faults === undefined ? {} : { only: faults }) };
  try {
    const options = { ...system, faults: chosen, count: seeds, from, again };
    return outcome(await simulateSeeds(options));
  } catch (thrown) {
    if (!(thrown instanceof SimulationFailedError)) throw thrown;
    return { ...outcome(thrown.summary), failure: thrown.message };
  }
}

const part = "part";
const [, , role, request] = process.argv;

if (role === part && process.send !== undefined) {
  const { name, ...wanted } = JSON.parse(request ?? "{}") as SeedOrder & { readonly name: string };
  process.send(await simulateSystem(name, wanted));
  process.disconnect();
} else {
  process.exitCode = await main();
}
