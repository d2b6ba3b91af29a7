/**
 * `troupe move`: take a namespace's log into another namespace, with another number of partitions.
 */
import { shardsMax } from "@troupe/core/log";
import { moveLog } from "@troupe/jetstream";
import type { MoveProgress, MoveReport } from "@troupe/jetstream";
import type { Command } from "commander";
import { isConfirmed } from "../confirmation.ts";
import { connectOptions, explained } from "../connection.ts";
import { parseCount } from "../count-option.ts";
import { exitCode } from "../exit-code.ts";
import type { GlobalOptions } from "../global-options.ts";
import { addExamples } from "../help-text.ts";
import type { Run } from "../run.ts";
import { toJson } from "../terminal/json.ts";
import { count, duration } from "../terminal/quantities.ts";

interface CommandOptions extends GlobalOptions {
  readonly partitions?: number;
  readonly shards?: number;
  readonly yes?: boolean;
  readonly json?: boolean;
}

const partitionsMax = 1024;

export function addMove(program: Command, run: Run): void {
  const command = program
    .command("move")
    .summary("take the log into another namespace")
    .description(
      "Move the log of the namespace into another one on the same servers, with another number of " +
        "partitions: inputs, journals, dead letters, parked agents, timers, snapshots, manifests, " +
        "floors and the keys of personal data. Positions and the log's identity stay the same. The " +
        "server copies while the system works; then the old namespace is sealed for ever, the rest " +
        "is copied, everything was compared, the old keys are removed, and the new namespace opens. " +
        "A move that was interrupted goes on when it is begun again. The user needs all rights in " +
        "the account.",
    )
    .argument("<namespace>", "the namespace that the log moves into; it must not exist")
    .option(
      "--partitions <count>",
      "partitions there; as many as before when absent",
      parseCount(1, partitionsMax),
    )
    .option(
      "--shards <count>",
      "streams there, of which each has its part of the partitions; one when absent",
      parseCount(1, shardsMax),
    )
    .option("--yes", "do not ask; needed where nobody can be asked")
    .option("--json", "what was moved, as one JSON object")
    .action(async (to: string, _: unknown, self: Command) => {
      await move(to, self.optsWithGlobals<CommandOptions>(), run);
    });
  addExamples(command, [
    ["troupe move acme2 --namespace acme --partitions 64", "from the namespace acme"],
    ["troupe move acme2 --namespace acme --partitions 64 --yes", "on, after an interruption"],
    ["troupe move acme2 --partitions 64 --shards 4", "for millions of keys"],
  ]);
}

async function move(to: string, options: CommandOptions, run: Run): Promise<void> {
  const { interruption, terminal } = run;
  const text =
    `Move the log of ${options.namespace} to ${to}? Nothing can be stored in ${options.namespace} ` +
    "afterwards.";
  if (options.yes !== true && !(await isConfirmed({ text, destroys: true }, run))) {
    terminal.note("Nothing was done.");
    run.exitCode = exitCode.failed;
    return;
  }
  // An archive goes on under the log's identity, and is not touched.
  const { archive: _, ...connection } = await connectOptions(options);
  const moving = moveLog({
    ...connection,
    to,
    partitions: options.partitions,
    shards: options.shards,
    signal: interruption.signal,
    onProgress: (progress) => terminal.status(progressLine(progress)),
  });
  const report = await interruption.orInterrupted(moving).catch((error: unknown) => {
    throw explained(error, options);
  });
  terminal.status("");
  if (options.json === true) terminal.print(toJson(report));
  else for (const line of reportLines(report)) terminal.print(line);
}

function progressLine({ last, position, step }: MoveProgress): string {
  const words = { copy: "copying", compare: "comparing", freeze: "frozen", open: "open" } as const;
  return `${words[step]}  ${position} of ${last}`;
}

function reportLines(report: MoveReport): readonly string[] {
  const { digest, from, keys, last, log, messages, partitions, pausedMs, timers, to } = report;
  const { shards } = report;
  return [
    `Moved the log ${log} from ${from} to ${to}: ${partitions.before} → ${partitions.after} partitions.`,
    `  messages  ${count(messages)}, each compared with the original (${digest})`,
    ...(shards.length === 1 ? [] : [`  shards    ${shards.map(count).join(", ")} messages`]),
    `  timers    ${count(timers)}`,
    `  keys      ${count(keys)} of personal data${keys === 0 ? "" : `, removed from ${from}`}`,
    `  last      ${last}: what is stored from now on comes after it`,
    `  pause     ${duration(pausedMs)}`,
    "",
    `Start workers and clients with --namespace ${to}. The streams of`,
    `${from} are sealed: remove them when nobody needs them any more.`,
  ];
}
