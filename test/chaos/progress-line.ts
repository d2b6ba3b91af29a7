/** Progress of a scenario, for people: a live line on a terminal, and a table of what came out. */
import type { ScenarioResult } from "./scenario-result.ts";
import type { Progress } from "./scenario.ts";

const columns = 79;

/** A line that is written over again and again. */
export class ProgressLine {
  readonly #output: NodeJS.WriteStream;
  readonly #scenario: string;
  readonly #startedAt = performance.now();

  constructor(output: NodeJS.WriteStream, scenario: string) {
    this.#output = output;
    this.#scenario = scenario;
    if (!output.isTTY) output.write(`${scenario} …\n`);
  }

  show(progress: Progress): void {
    if (!this.#output.isTTY) return;
    const seconds = Math.round((performance.now() - this.#startedAt) / 1000);
    this.#output.write(`\r\u001b[K${lineOf(this.#scenario, seconds, progress)}`);
  }

  clear(): void {
    if (this.#output.isTTY) this.#output.write("\r\u001b[K");
  }
}

function lineOf(scenario: string, seconds: number, progress: Progress): string {
  const { accepted, brokerKills, maxStallMs, phase, records, workerKills, workers } = progress;
  if (phase !== "under load") return `${scenario} ${seconds} s, ${phase} …`;
  const parts = [
    `${scenario} ${seconds} s`,
    `${accepted} accepted`,
    `${records} records`,
    `${workers} workers`,
    `killed ${workerKills}+${brokerKills}`,
    `stall ${(maxStallMs / 1000).toFixed(1)} s`,
  ];
  return parts.join(", ").slice(0, columns);
}

/** A few lines of at most 80 columns, and then what is not as it should be. */
export function summaryOf(result: ScenarioResult): string {
  const { accepted, committed, duplicated, lost, scenario, seconds, turns, wrong } = result;
  const { brokerKills, brokerPauses, leaderKills, nodesWiped } = result;
  const { storms, upgrades, workerCrashes, workerKills, workerPauses } = result;
  const { attempts, beyondLimits, charges, chargedTwice, commands, ranAgain } = result;
  const rows: [string, string][] = [
    ["messages", `${accepted} accepted, ${committed} handled, ${turns} turns in all`],
    ["broken", `${lost} lost, ${duplicated} doubled, ${wrong} wrong`],
    ["workers", `${workerKills} killed, ${workerPauses} paused, ${workerCrashes} crashed`],
    ["", `${upgrades} replaced by newer code, ${storms} storms of several faults`],
    ["broker", `${brokerKills} killed, ${leaderKills} of them leaders, ${nodesWiped} wiped`],
    ["", `${brokerPauses} times paused or deposed`],
  ];
  if (commands > 0) {
    const again = `${chargedTwice} charged twice, ${ranAgain} asked for after their record`;
    rows.push(["payments", `${commands} commands, ${attempts} attempts, ${charges} charges`]);
    rows.push(["", again]);
    rows.push(["", `${attempts - charges} effects repeated, ${beyondLimits} beyond Known limits`]);
  }
  rows.push(["stall", `${(result.maxStallMs / 1000).toFixed(1)} s at most without a turn`]);
  const lines = rows.map(([name, text]) => `  ${name.padEnd(10)}${text}`);
  const complaints = result.findings.map((text) => `  ! ${text}`);
  return [`${scenario}, ${seconds} s`, ...lines, ...complaints, ""].join("\n");
}
