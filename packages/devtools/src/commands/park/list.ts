/** `troupe park list`: the agents that are parked now, with what waits for them. */
import { parkedAgents, waitingMax, type WaitingAgent } from "@troupe/core/operate";
import { agentName } from "@troupe/core/log";
import type { Command } from "commander";
import { openTroupe } from "../../connection.ts";
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
  const rows = await interruption.orInterrupted(parkedAgents(troupe, interruption.signal));
  if (interruption.signal.aborted) throw new InterruptedError();
  if (options.json === true) for (const row of rows) terminal.print(toJson(rowData(row)));
  else for (const line of lines(rows, terminal)) terminal.print(line);
}

function lines(rows: readonly WaitingAgent[], terminal: Terminal): readonly string[] {
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

function rowData({ agent, sinceMs, waiting, ...row }: WaitingAgent): unknown {
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
