/** `troupe erase`: everything that the system holds of one agent, and the key of its data. */
import { agentNamed } from "@troupe/core";
import { agentName, parseAgentName } from "@troupe/core/log";
import type { Troupe } from "@troupe/core";
import type { AgentId } from "@troupe/core/log";
import type { Erasure } from "@troupe/core/operate";
import type { Command } from "commander";
import { isConfirmed } from "../confirmation.ts";
import { openTroupe } from "../connection.ts";
import { exitCode } from "../exit-code.ts";
import { UsageError } from "../failure.ts";
import type { GlobalOptions } from "../global-options.ts";
import { addExamples } from "../help-text.ts";
import type { Run } from "../run.ts";
import { toJson } from "../terminal/json.ts";
import { bytes, count, counted } from "../terminal/quantities.ts";
import { tableLines } from "../terminal/table.ts";
import type { Terminal } from "../terminal/terminal.ts";
import { wrapText } from "../terminal/wrap-text.ts";

interface EraseCommandOptions extends GlobalOptions {
  readonly by?: string;
  readonly reason?: string;
  readonly dryRun?: boolean;
  readonly keyOnly?: boolean;
  readonly yes?: boolean;
  readonly json?: boolean;
}

export function addErase(program: Command, run: Run): void {
  const command = program
    .command("erase")
    .summary("erase an agent, or the key of somebody's data")
    .description(
      "Erase everything that is stored of an agent: its journal, messages, snapshot, timers and dead " +
        "letters, and the key that its personal data is sealed with. A tombstone stays, so that " +
        "nothing of before runs again. It cannot be undone. Ended in the middle, it goes on when it " +
        "is started again.",
    )
    .argument("<agent>", "type/key; with --key-only any data subject")
    .option("--dry-run", "only count what would be erased")
    .option("--key-only", "erase the key and leave everything else where it is")
    .option("--by <name>", "who erases, for the audit record")
    .option("--reason <text>", "why, for the audit record; no personal data")
    .option("--yes", "do not ask; needed where nobody can be asked")
    .option("--json", "the outcome as one JSON object")
    .action(async (subject: string, _: unknown, self: Command) => {
      await erase(subject, self.optsWithGlobals<EraseCommandOptions>(), run);
    });
  addExamples(command, [
    ["troupe erase customer/42 --dry-run", "what there is, and what others hold"],
    ['troupe erase customer/42 --by "data desk" --reason "request 7"', "after a question"],
    ["troupe erase customer/42 --key-only", "only what is sealed, in all backups too"],
  ]);
}

/** @throws UsageError */
function agentOf(text: string): AgentId {
  const agent = parseAgentName(text);
  if (agent !== undefined) return agent;
  throw new UsageError("Write an agent as type/key, for example customer/42.");
}

async function erase(subject: string, options: EraseCommandOptions, run: Run): Promise<void> {
  const { dryRun, keyOnly } = options;
  if (dryRun === true && keyOnly === true) {
    throw new UsageError("--key-only has nothing to count: leave --dry-run out.");
  }
  const agent = keyOnly === true ? undefined : agentOf(subject);
  await using troupe = await openTroupe(options, run, { createStreams: false });
  if (dryRun !== true && options.yes !== true && !(await agrees(subject, agent, run))) {
    run.terminal.note("Nothing was done.");
    run.exitCode = exitCode.failed;
    return;
  }
  if (agent === undefined) await eraseKey(troupe, subject, options, run);
  else await eraseAgent(troupe, agent, options, run);
}

function agrees(subject: string, agent: AgentId | undefined, run: Run): Promise<boolean> {
  const what = agent === undefined ? `the key of ${subject}` : `everything of ${subject}`;
  return isConfirmed({ text: `Erase ${what}? It cannot be undone.`, destroys: true }, run);
}

async function eraseKey(
  troupe: Troupe,
  subject: string,
  options: EraseCommandOptions,
  { interruption, terminal }: Run,
): Promise<void> {
  const erased = await interruption.orInterrupted(troupe.eraseKey(subject));
  if (options.json === true) return terminal.print(toJson({ subject, erased }));
  terminal.print(
    erased
      ? `The key of ${subject} is erased: nobody can open what was sealed with it.`
      : `There is no key of ${subject}: nothing is sealed with one.`,
  );
}

async function eraseAgent(
  troupe: Troupe,
  agent: AgentId,
  options: EraseCommandOptions,
  { interruption, terminal }: Run,
): Promise<void> {
  const { by, dryRun = false, reason } = options;
  const erasing = troupe.erase(agentNamed(agent.type), agent.key, {
    dryRun,
    signal: interruption.signal,
    ...(by === undefined ? {} : { by }),
    ...(reason === undefined ? {} : { reason }),
  });
  const outcome = await interruption.orInterrupted(erasing);
  if (options.json === true) terminal.print(toJson({ ...outcome, agent: agentName(agent) }));
  else for (const line of lines(outcome, terminal)) terminal.print(line);
}

function lines(outcome: Erasure, terminal: Terminal): readonly string[] {
  const wrapped = (text: string): readonly string[] => wrapText(text, terminal.width).split("\n");
  return [
    ...wrapped(headline(outcome)),
    ...partLines(outcome, terminal),
    ...wrapped(keyLine(outcome)),
    ...outcome.kept.flatMap((kept) =>
      wrapped(
        `Kept: ${counted(kept.count, "publication")} on ${kept.topic}, because ${kept.neededBy.join(", ")} may still need them. Erase again when they are handled and their dead letters are gone.`,
      ),
    ),
    ...archiveLines(outcome).flatMap(wrapped),
    ...sentLines(outcome).flatMap(wrapped),
  ];
}

function headline({ agent, done, parts, resumed, upTo }: Erasure): string {
  const name = agentName(agent);
  const total = parts.reduce((sum, part) => sum + part.count, 0);
  if (!done && total === 0) return `There is nothing of ${name}.`;
  const what = counted(total, "message");
  if (!done) return `${what} of ${name} would be erased (dry run, nothing was changed):`;
  const again = resumed ? " An erasure that had ended in the middle is finished." : "";
  return `${what} of ${name} ${total === 1 ? "is" : "are"} erased, up to position ${count(upTo)}.${again}`;
}

function partLines({ parts }: Erasure, terminal: Terminal): readonly string[] {
  const there = parts.filter((part) => part.count > 0);
  if (there.length === 0) return [];
  const rows = there.map((part) => [count(part.count), bytes(part.bytes), part.part]);
  return tableLines(
    [{ title: "count", align: "right" }, { title: "size", align: "right" }, { title: "what" }],
    rows,
    terminal,
  );
}

function keyLine({ agent, done, key }: Erasure): string {
  const name = agentName(agent);
  if (!key) return `No key of the data subject ${name}: nothing is sealed with one.`;
  return done
    ? `The key of the data subject ${name} is erased: what is sealed with it is gone elsewhere too.`
    : `The key of the data subject ${name} would be erased too.`;
}

function archiveLines({ archived }: Erasure): readonly string[] {
  if (archived === undefined || archived.entries === 0) return [];
  const { entries, segments } = archived;
  return [
    `The archive had ${counted(entries, "message")} of it in ${counted(segments, "segment")}.`,
  ];
}

function sentLines({ sent, sentCount }: Erasure): readonly string[] {
  if (sentCount === 0) return [];
  const holders = [...new Set(sent.map(({ to }) => to))];
  const shown = holders.slice(0, holdersShown);
  const more = holders.length > shown.length ? ", …" : "";
  return [
    `It sent ${counted(sentCount, "message")}, which others hold: ${shown.join(", ")}${more}. --json has their ids.`,
  ];
}

const holdersShown = 5;
