/** `troupe archive keep`: archive what there is now, without truncating anything. */
import type { Troupe } from "@troupe/core";
import type { Chain } from "@troupe/core/archive";
import { chainName } from "@troupe/core/archive";
import type { Command } from "commander";
import { UsageError } from "../../failure.ts";
import { addExamples } from "../../help-text.ts";
import type { Run } from "../../run.ts";
import { toJson } from "../../terminal/json.ts";
import { count } from "../../terminal/quantities.ts";
import type { ArchiveCommandOptions } from "./with-archive.ts";
import { withArchive } from "./with-archive.ts";

export function addArchiveKeep(archive: Command, run: Run): void {
  const command = archive
    .command("keep")
    .summary("archive all that is on the log now")
    .description(
      "Archive agent types and topics up to where the log ends now. Nothing is truncated by it; what " +
        "was archived before is not written again.",
    )
    .argument(
      "[names...]",
      "agent types and topics; all that workers registered when there are none",
    )
    .option("--json", "a JSON line for each agent type and topic")
    .action(async (names: readonly string[], _: unknown, self: Command) => {
      await keep(names, self.optsWithGlobals<ArchiveCommandOptions>(), run);
    });
  addExamples(command, [
    ["troupe archive keep --archive ./archive", "everything"],
    ["troupe archive keep order inquiries --archive ./archive", "one type and one topic"],
  ]);
}

async function keep(
  names: readonly string[],
  options: ArchiveCommandOptions,
  run: Run,
): Promise<void> {
  const { interruption, terminal } = run;
  await withArchive(options, run, async (archive, troupe) => {
    const { last } = await troupe.log.end();
    for (const chain of await chainsNamed(names, troupe)) {
      const upTo = await archive.keep(chain, last, { signal: interruption.signal });
      const what = chainName(chain);
      if (options.json === true) terminal.print(toJson({ chain: what, archivedTo: upTo }));
      else terminal.print(`${what}  archived up to position ${count(upTo)}`);
    }
  });
}

async function chainsNamed(names: readonly string[], troupe: Troupe): Promise<readonly Chain[]> {
  const manifests = await troupe.log.manifests();
  const types = manifests.map(({ type }) => type);
  const topics = new Set(manifests.flatMap((manifest) => manifest.topics));
  const all: readonly Chain[] = [
    ...types.map((name) => ({ kind: "agent", name }) as const),
    ...[...topics].map((name) => ({ kind: "topic", name }) as const),
  ];
  const unknown = names.find((name) => !all.some((chain) => chain.name === name));
  if (unknown !== undefined) {
    const known = all.map(chainName).toSorted().join(", ");
    throw new UsageError(`There is no agent type and no topic ${unknown}; there are: ${known}.`);
  }
  return names.length === 0 ? all : all.filter(({ name }) => names.includes(name));
}
