/** `troupe dlq list`: the dead letters, one per line, newest last. */
import { deadLetters } from "@troupe/core/operate";
import type { PlacedLetter } from "@troupe/core/operate";
import { agentName } from "@troupe/core/log";
import type { Command } from "commander";
import { openTroupe } from "../../connection.ts";
import { parseCount } from "../../count-option.ts";
import { whose } from "../../dead-letters/dead-letters.ts";
import { InterruptedError } from "../../failure.ts";
import { addExamples } from "../../help-text.ts";
import type { Run } from "../../run.ts";
import { toJson } from "../../terminal/json.ts";
import { counted, dateAndTime } from "../../terminal/quantities.ts";
import { narrowBelow, tableLines } from "../../terminal/table.ts";
import type { Column } from "../../terminal/table.ts";
import type { Terminal } from "../../terminal/terminal.ts";
import { addFilterOptions, filterOf } from "./selection.ts";
import type { FilterOptions } from "./selection.ts";

interface ListOptions extends FilterOptions {
  readonly last: number;
}

const lastDefault = 100;
const lastMax = 100_000;

export function addDlqList(dlq: Command, run: Run): void {
  const command = dlq
    .command("list")
    .summary("the dead letters, newest last")
    .description("List the dead letters: where, when, whose, why, after how many tries.");
  addFilterOptions(command)
    .option("--last <count>", "how many to show", parseCount(1, lastMax), lastDefault)
    .option("--json", "one JSON object per line")
    .action(async (_: unknown, self: Command) => {
      await list(self.optsWithGlobals<ListOptions>(), run);
    });
  addExamples(command, [
    ["troupe dlq list --type account order", "those of two agent types"],
    ["troupe dlq list --code rejected --last 1000 --json", "one kind of failure, as data"],
  ]);
}

async function list(options: ListOptions, run: Run): Promise<void> {
  const { interruption, terminal } = run;
  await using troupe = await openTroupe(options, run, { createStreams: false });
  const shown: PlacedLetter[] = [];
  let older = 0;
  for await (const letter of deadLetters(troupe, {
    ...filterOf(options),
    signal: interruption.signal,
  })) {
    shown.push(letter);
    if (shown.length <= options.last) continue;
    shown.shift();
    older += 1;
  }
  if (interruption.signal.aborted) throw new InterruptedError();
  if (options.json === true) for (const letter of shown) terminal.print(toJson(summary(letter)));
  else for (const line of lines(shown, terminal)) terminal.print(line);
  if (older > 0) {
    const what = older === 1 ? "is" : "are";
    terminal.note(`${counted(older, "older one")} ${what} not shown: raise --last.`);
  }
}

function lines(letters: readonly PlacedLetter[], terminal: Terminal): readonly string[] {
  if (letters.length === 0) return ["No dead letters."];
  const short = terminal.width < narrowBelow;
  const columns: readonly Column[] = [
    { title: "position", align: "right" },
    { title: "stored" },
    { title: "agent", widthMax: short ? 18 : 28 },
    { title: "code", widthMax: short ? 14 : 22 },
    { title: "tries", align: "right" },
    { title: "message" },
  ];
  const rows = letters.map((letter) => {
    const { attempts, failure } = letter.deadLetter;
    return [
      String(letter.position),
      dateAndTime(letter.storedAtMs, { short }),
      whose(letter),
      failure.code,
      String(attempts),
      failure.message,
    ];
  });
  return tableLines(columns, rows, terminal);
}

function summary({ deadLetter, position, storedAtMs }: PlacedLetter): unknown {
  const { agent, attempts, failure, inputPosition, origin } = deadLetter;
  return {
    position,
    at: new Date(storedAtMs).toISOString(),
    agent: agent && agentName(agent),
    origin,
    inputPosition,
    code: failure.code,
    attempts,
    message: failure.message,
  };
}
