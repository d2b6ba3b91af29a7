/** `troupe park list`: the agents that are parked now, with what waits for them. */
import { agentName } from "@troupe/core/log";
import type { Troupe } from "@troupe/core";
import type { Position } from "@troupe/core/log";
import type { Command } from "commander";
import { openTroupe } from "../../connection.ts";
import { deadLetters, parkedCode } from "../../dead-letters/dead-letters.ts";
import type { PlacedLetter } from "../../dead-letters/dead-letters.ts";
import { parkedAgent, waitingBehind, waitingMax } from "../../dead-letters/parked-agent.ts";
import type { ParkedAgent } from "../../dead-letters/parked-agent.ts";
import { addExamples } from "../../help-text.ts";
import { InterruptedError } from "../../failure.ts";
import type { GlobalOptions } from "../../global-options.ts";
import type { Run } from "../../run.ts";
import { toJson } from "../../terminal/json.ts";
import { dateAndTime } from "../../terminal/quantities.ts";
import { narrowBelow, tableLines } from "../../terminal/table.ts";
import type { Terminal } from "../../terminal/terminal.ts";
import { failureSummary } from "../../turn-summary.ts";

interface ListOptions extends GlobalOptions {
  readonly json?: boolean;
}

interface ParkedRow extends ParkedAgent {
  readonly waiting: number;
  readonly deadLetter: Position;
}

export function addParkList(park: Command, run: Run): void {
  const command = park
    .command("list")
    .summary("the agents that are parked now")
    .description(
      "List the agents that are parked now: since when, how many messages wait behind the one that " +
        "failed, and the failure. Dead letters tell of them, their journals decide.",
    )
    .option("--json", "one JSON object per line")
    .action(async (_: unknown, self: Command) => {
      await list(self.optsWithGlobals<ListOptions>(), run);
    });
  addExamples(command, [
    ["troupe park list", "on the local broker"],
    ["troupe park list --json | jq -r .agent", "only the names"],
  ]);
}

async function list(options: ListOptions, run: Run): Promise<void> {
  const { interruption, terminal } = run;
  await using troupe = await openTroupe(options, run, { createStreams: false });
  const rows = await interruption.orInterrupted(parkedRows(troupe, interruption.signal));
  if (interruption.signal.aborted) throw new InterruptedError();
  if (options.json === true) for (const row of rows) terminal.print(toJson(rowData(row)));
  else for (const line of lines(rows, terminal)) terminal.print(line);
}

/** Rows of the parked agents, in the order in which they were parked. */
async function parkedRows(troupe: Troupe, signal: AbortSignal): Promise<readonly ParkedRow[]> {
  const newest = new Map<string, PlacedLetter>();
  for await (const letter of deadLetters(troupe, { codes: [parkedCode] }, signal)) {
    const { agent } = letter.deadLetter;
    if (agent !== undefined) newest.set(agentName(agent), letter);
  }
  const rows: ParkedRow[] = [];
  for (const { deadLetter, position } of newest.values()) {
    const { agent, inputPosition } = deadLetter;
    const parked = agent && (await parkedAgent(troupe.log, agent, inputPosition));
    if (parked === undefined) continue;
    const waiting = await waitingBehind(troupe.log, parked);
    rows.push({ ...parked, waiting, deadLetter: position });
  }
  return rows.toSorted((a, b) => a.revision - b.revision);
}

function lines(rows: readonly ParkedRow[], terminal: Terminal): readonly string[] {
  if (rows.length === 0) return ["No agent is parked."];
  const short = terminal.width < narrowBelow;
  const columns = [
    { title: "agent", widthMax: short ? 24 : 36 },
    { title: "since" },
    { title: "waiting", align: "right" },
    { title: "failure" },
  ] as const;
  const cells = rows.map(({ agent, failure, sinceMs, waiting }) => [
    agentName(agent),
    dateAndTime(sinceMs, { short }),
    waiting > waitingMax ? `${waitingMax}+` : String(waiting),
    failure === undefined ? "unknown" : failureSummary(failure),
  ]);
  return tableLines(columns, cells, terminal);
}

function rowData({ agent, sinceMs, waiting, ...row }: ParkedRow): unknown {
  return {
    agent: agentName(agent),
    since: new Date(sinceMs).toISOString(),
    waiting: Math.min(waiting, waitingMax),
    moreWaiting: waiting > waitingMax,
    inputPosition: row.inputPosition,
    deadLetter: row.deadLetter,
    failure: row.failure ?? null,
  };
}
