/** `troupe dlq show`: everything about one dead letter, and what can be done with it. */
import { parkedCode, printable } from "@troupe/core/operate";
import type { PlacedLetter } from "@troupe/core/operate";
import { agentName } from "@troupe/core/log";
import type { Input, Position } from "@troupe/core/log";
import type { Command } from "commander";
import { openTroupe } from "../../connection.ts";
import { deadLetterAt, resumeCommand, whose } from "../../dead-letters/dead-letters.ts";
import { addExamples } from "../../help-text.ts";
import type { GlobalOptions } from "../../global-options.ts";
import { entryData } from "../../log-entry.ts";
import { deadPayloadValue, payloadValue } from "../../payload-value.ts";
import type { Run } from "../../run.ts";
import { toJson } from "../../terminal/json.ts";
import { dateAndTime } from "../../terminal/quantities.ts";
import { shellWord } from "../../terminal/shell-word.ts";
import type { Terminal } from "../../terminal/terminal.ts";
import { wrapText } from "../../terminal/wrap-text.ts";
import { parsePosition } from "../../position-argument.ts";

interface ShowOptions extends GlobalOptions {
  readonly json?: boolean;
}

export function addDlqShow(dlq: Command, run: Run): void {
  const command = dlq
    .command("show")
    .summary("everything about one dead letter")
    .description(
      "Show a dead letter: the failure with its details, the payload, where the original is, and " +
        "the commands for what can be done with it.",
    )
    .argument("<position>", "where the dead letter is on the log", parsePosition)
    .option("--json", "one JSON object")
    .action(async (position: Position, _: unknown, self: Command) => {
      await show(position, self.optsWithGlobals<ShowOptions>(), run);
    });
  addExamples(command, [
    ["troupe dlq show 42", "to read"],
    ["troupe dlq show 42 --json | jq .payload", "the payload alone"],
  ]);
}

async function show(position: Position, options: ShowOptions, run: Run): Promise<void> {
  const { interruption, terminal } = run;
  await using troupe = await openTroupe(options, run, { createStreams: false });
  const letter = await deadLetterAt(troupe, position, interruption.signal);
  const original = await interruption.orInterrupted(
    troupe.log.input(letter.deadLetter.inputPosition, { firm: true }),
  );
  const payload = payloadOf(letter, original);
  if (options.json !== true) return showReadable(letter, original, terminal);
  const commands = commandsFor(letter);
  const found = original && entryData({ kind: "input", input: original });
  terminal.print(toJson({ ...entryData(letter), payload, original: found ?? null, commands }));
}

/** A payload that was too large to be kept twice is that of the original. */
function payloadOf({ deadLetter }: PlacedLetter, original: Input | undefined): unknown {
  const isKept = deadLetter.payload.length > 0 || original === undefined;
  return isKept ? deadPayloadValue(deadLetter) : payloadValue(original);
}

/** By what they do. */
function commandsFor({ deadLetter, position }: PlacedLetter): Readonly<Record<string, string>> {
  const { agent, failure } = deadLetter;
  const drop = `troupe dlq drop ${position}`;
  if (agent === undefined) return { drop };
  const inspect = `troupe inspect ${shellWord(agentName(agent))}`;
  if (failure.code !== parkedCode) {
    return { redrive: `troupe dlq redrive ${position}`, drop, inspect };
  }
  const resume = resumeCommand(agent);
  return { resume, skip: `${resume} --skip`, inspect };
}

function showReadable(letter: PlacedLetter, original: Input | undefined, terminal: Terminal): void {
  const { deadLetter, position, storedAtMs } = letter;
  const { agent, attempts, contentType, failure, inputPosition, origin } = deadLetter;
  const fields: readonly (readonly [string, string])[] = [
    [agent === undefined ? "address" : "agent", whose(letter)],
    ["sent to", origin],
    ["original", originalText(inputPosition, original)],
    ["stored", dateAndTime(storedAtMs)],
    ["tries", attempts === 0 ? "none: it never reached the handler" : String(attempts)],
    ["failure", failure.code],
  ];
  terminal.print(terminal.paint("bold", `Dead letter ${position}`));
  for (const [name, value] of fields) terminal.print(`  ${name.padEnd(9)} ${printable(value)}`);
  terminal.printLines(`\n${terminal.paint("bold", "Failure")}`);
  terminal.printLines(wrapText(printable(failure.message), terminal.width));
  if (failure.details !== undefined) terminal.printLines(toJson(failure.details, 2));
  const encoding = contentType === undefined ? "no content type, so JSON" : contentType;
  terminal.printLines(`\n${terminal.paint("bold", "Payload")} (${encoding})`);
  terminal.printLines(toJson(payloadOf(letter, original), 2));
  terminal.printLines(`\n${terminal.paint("bold", "What to do")}`);
  for (const [name, line] of Object.entries(commandsFor(letter))) {
    terminal.print(`  ${name.padEnd(9)} ${line}`);
  }
  if (agent === undefined) {
    terminal.print("  It has no agent, so nobody can get it again: publish it to a right address.");
  }
}

function originalText(position: Position, original: Input | undefined): string {
  if (original === undefined) return `at position ${position}, not there any more`;
  const { acceptedAtMs, metadata } = original;
  const message = metadata.message === undefined ? "" : `, message ${metadata.message}`;
  const sender = metadata.sender === undefined ? "" : `, from ${metadata.sender}`;
  return `at position ${position} since ${dateAndTime(acceptedAtMs)}${message}${sender}`;
}
