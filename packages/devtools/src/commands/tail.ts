/** `troupe tail`: follow topics, messages, turns and dead letters. */
import type { FollowRequest } from "@troupe/core/log";
import type { Command } from "commander";
import { InvalidArgumentError } from "commander";
import { openTroupe, shownServer } from "../connection.ts";
import { addExamples } from "../help-text.ts";
import type { GlobalOptions } from "../global-options.ts";
import { entryData, readableEntry } from "../log-entry.ts";
import { collectTopics, collectTypes } from "../name-options.ts";
import type { Run } from "../run.ts";
import { entryLine } from "../terminal/entry-line.ts";
import { toJson } from "../terminal/json.ts";

interface TailOptions extends GlobalOptions {
  readonly topic?: readonly string[];
  readonly type?: readonly string[];
  readonly from?: number | "new";
  readonly untilNow?: boolean;
  readonly json?: boolean;
}

export function addTail(program: Command, run: Run): void {
  const command = program
    .command("tail")
    .summary("follow topics, messages, turns and dead letters")
    .description(
      "Follow what is on the log: publications, messages to agents, turns and dead letters. " +
        "Without --topic and --type everything is shown.",
    )
    .option("--topic <name...>", "only publications on these topics", collectTopics)
    .option(
      "--type <name...>",
      "only messages, turns and dead letters of these types",
      collectTypes,
    )
    .option("--from <position>", "a position, start or new (default: new)", parseFrom)
    .option("--until-now", "stop at what is last now; starts at the start unless --from is given")
    .option("--json", "one JSON object per line")
    .action(async (_: unknown, self: Command) => {
      await tail(self.optsWithGlobals<TailOptions>(), run);
    });
  addExamples(command, [
    ["troupe tail", "everything from now on, until Ctrl-C"],
    ["troupe tail --topic inquiries --type support --from start", "one topic and one agent type"],
    ["troupe tail --until-now --json | jq 'select(.kind == \"dead-letter\")'", "all dead letters"],
  ]);
}

async function tail(options: TailOptions, run: Run): Promise<void> {
  const { terminal } = run;
  await using troupe = await openTroupe(options, run, { createStreams: false });
  const isWaiting = options.untilNow !== true;
  if (isWaiting && terminal.isInteractive && options.json !== true) {
    const where = `${options.namespace} at ${shownServer(options)}`;
    terminal.note(terminal.paintNote("dim", `Following ${where}; Ctrl-C ends.`));
  }
  for await (const entry of troupe.follow(request(options, run))) {
    const line = options.json === true ? toJson(entryData(entry)) : readable(entry, run);
    terminal.print(line);
    if (run.interruption.signal.aborted) return;
  }
}

function readable(entry: Parameters<typeof readableEntry>[0], { terminal }: Run): string {
  return entryLine(readableEntry(entry), terminal);
}

/**
 * Builds the request: with only topics or only types given, nothing of the other kind is wanted.
 */
function request(options: TailOptions, { interruption }: Run): FollowRequest {
  const { topic, type, untilNow } = options;
  const from = options.from ?? (untilNow === true ? 0 : "new");
  const common = { from, untilNow, signal: interruption.signal };
  if (topic === undefined && type === undefined) return common;
  return { ...common, topics: topic ?? [], types: type ?? [] };
}

function parseFrom(text: string): number | "new" {
  if (text === "new") return text;
  if (text === "start") return 0;
  if (/^\d+$/.test(text)) return Number(text);
  throw new InvalidArgumentError("Write a position, start or new.");
}
