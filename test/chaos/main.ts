#!/usr/bin/env node
/**
 * `npm run chaos`: real processes under load, killed, paused and wiped; then an independent look at
 * everything the broker stored.
 *
 * Ends with one line of JSON, and with exit code 1 when anything was lost, doubled or wrong.
 */
import { parseArgs } from "node:util";

import { payments } from "./payments.ts";
import { ProgressLine, summaryOf } from "./progress-line.ts";
import { isBroken, totalOf, type ScenarioResult } from "./scenario-result.ts";
import type { ScenarioRun } from "./scenario.ts";
import { singleBroker } from "./single-broker.ts";
import { threeNodes } from "./three-nodes.ts";

type Scenario = (run: ScenarioRun) => Promise<ScenarioResult>;

const scenarios: Readonly<Record<string, Scenario>> = {
  single: singleBroker,
  three: threeNodes,
  payment: payments,
};

const help = `npm run chaos [-- options]

  --minutes N      time under load of each scenario, 1.5 unless told
  --seed S         plan of the faults, drawn unless told
  --only NAME      one of: ${Object.keys(scenarios).join(", ")}; all unless told
  --json           a line of JSON per scenario instead of a table
  --help           this text

single   one broker, killed, restarted and paused; workers killed, paused, replaced
         by a newer version of their code, several faults at once
three    three nodes: leaders killed, deposed and paused, a node wiped and
         rejoined; workers killed, paused and replaced by a newer version
payment  a tool that charges money while its workers are killed

Ends with one line of JSON; exit code 1 when anything was lost, duplicated,
wrong or charged twice.
`;

async function main(): Promise<number> {
  const { values } = parseArgs({
    options: {
      minutes: { type: "string", default: "1.5" },
      seed: { type: "string" },
      only: { type: "string" },
      json: { type: "boolean", default: false },
      help: { type: "boolean", short: "h", default: false },
    },
  });
  const minutes = Number(values.minutes);
  const seed = Number(values.seed ?? Math.floor(Math.random() * 1_000_000));
  const chosen = Object.entries(scenarios).filter(([name]) => (values.only ?? name) === name);
  const isUsable = minutes > 0 && minutes <= minutesMax && Number.isSafeInteger(seed);
  if (values.help || !isUsable || chosen.length === 0) {
    (values.help ? process.stdout : process.stderr).write(help);
    return values.help ? 0 : 2;
  }
  const results: ScenarioResult[] = [];
  for (const [name, scenario] of chosen) {
    const line = new ProgressLine(process.stderr, name);
    const onProgress = line.show.bind(line);
    const result = await scenario({ seed, minutes, onProgress }).finally(() => line.clear());
    results.push(result);
    process.stdout.write(values.json ? `${JSON.stringify(result)}\n` : `${summaryOf(result)}\n`);
  }
  const total = totalOf(results);
  process.stdout.write(`${JSON.stringify(total)}\n`);
  return isBroken(total) ? 1 : 0;
}

const minutesMax = 24 * 60;

process.exitCode = await main();
