/** `troupe work`: host the agents that modules export, and show what they do. */
import { preferShortPauses } from "@troupe/core";
import { DefinitionError } from "@troupe/core/errors";
import type { Troupe, Worker } from "@troupe/core";
import { Option } from "commander";
import type { Command } from "commander";
import { openTroupe, shownServer } from "../connection.ts";
import { durationOption, parseDuration } from "../duration.ts";
import { addExamples } from "../help-text.ts";
import { CommandError, UnreachableError } from "../failure.ts";
import type { GlobalOptions } from "../global-options.ts";
import { manifestLines } from "../manifest-lines.ts";
import { moduleAgents } from "../module-agents.ts";
import type { HostedAgent } from "../module-agents.ts";
import type { Run } from "../run.ts";
import { counted } from "../terminal/quantities.ts";
import { Holdings } from "../work/holdings.ts";
import { watchLoop } from "../work/loop-watch.ts";
import { RunningTurns } from "../work/running-turns.ts";
import { tellStrayErrors } from "../work/stray-errors.ts";
import { WorkFeed } from "../work/work-feed.ts";
import type { FeedFormat } from "../work/work-feed.ts";

interface WorkOptions extends GlobalOptions {
  readonly id?: string;
  readonly export?: readonly string[];
  readonly codeVersion?: string;
  readonly drainTimeout: number;
  readonly blockedTimeout?: number;
  readonly quiet?: boolean;
  readonly json?: boolean;
}

export function addWork(program: Command, run: Run): void {
  const command = program
    .command("work")
    .summary("host the agents that modules export")
    .description(
      "Host every agent that the modules export (TypeScript or JavaScript), also in lists, and show " +
        "their turns. Ctrl-C or SIGTERM: running turns finish, or are given back to the log, and " +
        "other workers take over; a second one ends at once.",
    )
    .argument("<module...>", "files, or packages installed here")
    .option("--export <name>", "only this export; may be repeated", collect)
    .option("--id <id>", "worker id, unique among living workers")
    .option("--code-version <text>", "stored in every turn record", process.env["TROUPE_VERSION"])
    .addOption(durationOption("--drain-timeout", "longest wait for running turns", "20s"))
    .addOption(
      new Option(
        "--blocked-timeout <duration>",
        "end this process when a handler blocks it for so long; its run counts as one that ended it",
      ).argParser(parseDuration),
    )
    .option("-q, --quiet", "no feed of turns")
    .option("--json", "the feed as JSON lines")
    .action(async (modules: readonly string[], _: unknown, self: Command) => {
      await work(modules, self.optsWithGlobals<WorkOptions>(), run);
    });
  addExamples(command, [
    ["troupe work ./agents.ts", "host everything it exports"],
    ["troupe work ./agents.ts ./billing.ts --export router --export ledger", "only some of it"],
    ["troupe work ./agents.ts --quiet --code-version 1.4.2", "as a service"],
    ["troupe work ./agents.ts --blocked-timeout 30s", "ended when a handler never lets go of it"],
  ]);
}

async function work(modules: readonly string[], options: WorkOptions, run: Run): Promise<void> {
  preferShortPauses();
  run.terminal.goOnWithoutOutput();
  const hosted = await run.interruption.orInterrupted(importAll(modules, options));
  const format = formatOf(options);
  const showsFaults = format !== "quiet";
  await using troupe = await openTroupe(options, run, { createStreams: true, showsFaults });
  const types = hosted.map(({ definition }) => definition.type);
  const feed = new WorkFeed(run.terminal, format, new Holdings(types, troupe.log.partitions));
  const closed = closedByItself(troupe);
  if (format === "lines") introduce(hosted, options, run);
  const running = new RunningTurns();
  troupe.inspect((event) => {
    running.hear(event);
    feed.hear(event);
  });
  const stopTelling = tellStrayErrors(run, running);
  const { blockedTimeout } = options;
  const stopWatching = blockedTimeout === undefined ? nothing : watchLoop(blockedTimeout, running);
  const worker = await run.interruption.orInterrupted(startWorker(troupe, hosted, options));
  await Promise.race([run.interruption.requested(), closed]);
  await stop(worker, options, run);
  stopWatching();
  stopTelling();
  if (options.json !== true) run.terminal.note(stoppedText(feed.givenBack));
  feed.close();
}

function nothing(): void {
  // Nobody watches.
}

function collect(name: string, before: readonly string[] | undefined): readonly string[] {
  return [...(before ?? []), name];
}

async function importAll(
  modules: readonly string[],
  { export: names }: WorkOptions,
): Promise<readonly HostedAgent[]> {
  const hosted: HostedAgent[] = [];
  for (const module of modules) {
    for (const found of await moduleAgents(module, names)) {
      const isKnown = hosted.some(({ definition }) => definition === found.definition);
      if (!isKnown) hosted.push(found);
    }
  }
  return hosted;
}

async function startWorker(
  troupe: Troupe,
  hosted: readonly HostedAgent[],
  { id, codeVersion }: WorkOptions,
): Promise<Worker> {
  try {
    return await troupe.work(
      hosted.map(({ definition }) => definition),
      {
        ...(id === undefined ? {} : { id }),
        ...(codeVersion === undefined ? {} : { version: codeVersion }),
      },
    );
  } catch (cause) {
    if (!(cause instanceof DefinitionError)) throw cause;
    const modules = [...new Set(hosted.map(({ module }) => module))].join(", ");
    throw new CommandError(`${modules}: ${cause.message}`, { cause });
  }
}

async function stop(worker: Worker, { drainTimeout, json }: WorkOptions, run: Run): Promise<void> {
  if (json !== true)
    run.terminal.note("Stopping: running turns finish. Ctrl-C again ends at once.");
  await worker.stop({ drainTimeoutMs: drainTimeout });
}

function stoppedText(givenBack: number): string {
  if (givenBack === 0) return "Stopped.";
  const turns = counted(givenBack, "turn");
  return `Stopped. ${turns} did not finish and stayed on the log: the next worker runs them again.`;
}

/** Rejects when the connection was given up, for example because its credentials were revoked. */
function closedByItself(troupe: Troupe): Promise<never> {
  const closed = new Promise<never>((_, reject) => {
    troupe.log.onStatus((status) => {
      if (status === "closed") reject(new UnreachableError("The server closed the connection."));
    });
  });
  // Our own close at the end comes here too, when nobody waits any more.
  closed.catch(() => undefined);
  return closed;
}

function introduce(hosted: readonly HostedAgent[], options: WorkOptions, { terminal }: Run): void {
  for (const { definition, module } of hosted) {
    const { events, messages, subscriptions, type } = definition;
    const manifest = {
      type,
      messages: Object.keys(messages),
      topics: Object.keys(subscriptions),
      events: Object.keys(events),
      version: "",
    };
    for (const line of manifestLines(manifest, `from ${module}`, terminal)) terminal.print(line);
  }
  const where = `${options.namespace} at ${shownServer(options)}`;
  terminal.print(terminal.paint("dim", `Working in ${where}; Ctrl-C stops.`));
  terminal.print("");
}

function formatOf({ json, quiet }: WorkOptions): FeedFormat {
  if (quiet === true) return "quiet";
  return json === true ? "json" : "lines";
}
