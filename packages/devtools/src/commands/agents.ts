/** `troupe agents`: the agent types a system knows, and the workers that host them now. */
import { agentNamed, type Troupe } from "@troupe/core";
import { printable } from "@troupe/core/operate";
import type { Manifest } from "@troupe/core/log";
import type { Command } from "commander";
import { openTroupe, shownServer } from "../connection.ts";
import { CommandError, UsageError } from "../failure.ts";
import { globOf } from "../glob.ts";
import { parseType } from "../name-options.ts";
import { addExamples } from "../help-text.ts";
import type { GlobalOptions } from "../global-options.ts";
import { manifestLines } from "../manifest-lines.ts";
import type { Run } from "../run.ts";
import { toJson } from "../terminal/json.ts";
import { counted } from "../terminal/quantities.ts";
import { wrapList } from "../terminal/wrap-list.ts";
import { addAgentsForget } from "./agents-forget.ts";
import { livingWorkers } from "../worker-census.ts";
import type { LivingWorker } from "../worker-census.ts";

interface AgentsOptions extends GlobalOptions {
  readonly match?: string;
  readonly json?: boolean;
}

export function addAgents(program: Command, run: Run): void {
  const command = program
    .command("agents")
    .summary("known agent types and living workers")
    .description(
      "List the agent types that workers ever registered, with their messages, topics and events, " +
        "and the workers that live now with the partitions they hold (listens for a second). With a " +
        "type, list the keys of its agents, in no order; ended and erased ones are among them.",
    )
    .argument("[type]", "list the keys of this agent type instead", parseType)
    .option("--match <glob>", "only keys that match, such as 'eu-*' (* any text, ? one character)")
    .option("--json", "one JSON object; with a type, one key per line")
    .action(async (type: string | undefined, _: unknown, self: Command) => {
      const options = self.optsWithGlobals<AgentsOptions>();
      if (type !== undefined) return keys(type, options, run);
      if (options.match !== undefined)
        throw new UsageError("--match is for the keys of a type: name one.");
      await agents(options, run);
    });
  addAgentsForget(command, run);
  addExamples(command, [
    ["troupe agents", "what runs on the local broker"],
    ["troupe agents account --match 'eu-*'", "keys of the type account that begin so"],
    ["troupe agents --json | jq '.agents[].type'", "the names of all types"],
  ]);
}

/** One key a line, as every command takes it after `type/`. */
async function keys(type: string, options: AgentsOptions, run: Run): Promise<void> {
  const { interruption, terminal } = run;
  await using troupe = await openTroupe(options, run, { createStreams: false });
  await interruption.orInterrupted(requireType(troupe, type));
  const { prefix, isMatch } = globOf(options.match ?? "*");
  let found = 0;
  for await (const key of troupe.keys(agentNamed(type), { prefix, signal: interruption.signal })) {
    if (!isMatch(key)) continue;
    found += 1;
    terminal.print(options.json === true ? toJson(key) : printable(key));
  }
  if (found === 0 && options.json !== true) {
    terminal.note(`No ${type} ${options.match === undefined ? "has had a turn yet" : "matches"}.`);
  }
}

/** @throws CommandError */
async function requireType(troupe: Troupe, type: string): Promise<void> {
  if ((await troupe.log.manifest(type)) !== undefined) return;
  throw new CommandError(`There is no agent type ${type}: \`troupe agents\` shows what is known.`, {
    details: { type },
  });
}

async function agents(options: AgentsOptions, run: Run): Promise<void> {
  const { terminal, interruption } = run;
  await using troupe = await openTroupe(options, run, { createStreams: false });
  const [manifests, workers] = await interruption.orInterrupted(
    Promise.all([troupe.log.manifests(), livingWorkers(troupe.log, interruption.signal)]),
  );
  const known = manifests.toSorted((a, b) => a.type.localeCompare(b.type));
  if (options.json === true) {
    terminal.print(toJson({ agents: known, workers }));
    return;
  }
  const where = `${options.namespace} at ${shownServer(options)}`;
  if (known.length === 0) {
    terminal.print(`No agent types in ${where} yet. \`troupe work\` registers them.`);
  }
  showTypes(known, workers, run);
  showWorkers(workers, troupe.log.partitions, run);
}

function showTypes(
  known: readonly Manifest[],
  workers: readonly LivingWorker[],
  { terminal }: Run,
): void {
  for (const manifest of known) {
    const hosts = workers.filter(({ holds }) => manifest.type in holds).length;
    const note = `${manifest.version} · ${hosts === 0 ? "no worker" : counted(hosts, "worker")}`;
    for (const line of manifestLines(manifest, note, terminal)) terminal.print(line);
    terminal.print("");
  }
}

function showWorkers(
  workers: readonly LivingWorker[],
  partitions: number,
  { terminal }: Run,
): void {
  if (workers.length === 0) {
    terminal.print("No worker is alive.");
    return;
  }
  const layout = { indent: 2, labelWidth: 10, width: terminal.width };
  terminal.print(terminal.paint("bold", counted(workers.length, "living worker")));
  for (const { worker, holds } of workers) {
    terminal.print(printable(worker));
    const shares = Object.entries(holds).map(
      ([type, held]) => `${printable(type)} ${held.length}/${partitions}`,
    );
    for (const line of wrapList("holds", shares, layout)) terminal.print(line);
  }
}
