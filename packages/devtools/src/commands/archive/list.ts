/** `troupe archive list`: the chains of an archive, and what they have. */
import type { ChainManifest, NamedSegment } from "@troupe/core/archive";
import { chainName } from "@troupe/core/archive";
import type { Command } from "commander";
import { addExamples } from "../../help-text.ts";
import type { Run } from "../../run.ts";
import { toJson } from "../../terminal/json.ts";
import { bytes, count, counted, dateAndTime } from "../../terminal/quantities.ts";
import { narrowBelow, tableLines } from "../../terminal/table.ts";
import type { Terminal } from "../../terminal/terminal.ts";
import type { ArchiveCommandOptions } from "./with-archive.ts";
import { withArchive } from "./with-archive.ts";

export function addArchiveList(archive: Command, run: Run): void {
  const command = archive
    .command("list")
    .summary("what is archived, by agent type and topic")
    .description(
      "List agent types and topics with what the archive has of them and up to which position. " +
        "Beyond that position everything is on the log.",
    )
    .option("--json", "one JSON object, with every segment")
    .action(async (_: unknown, self: Command) => {
      await list(self.optsWithGlobals<ArchiveCommandOptions>(), run);
    });
  addExamples(command, [
    ["troupe archive list --archive ./archive", "a line for each type and topic"],
    ["troupe archive list --archive ./archive --json | jq '.chains[].archivedTo'", "as data"],
  ]);
}

async function list(options: ArchiveCommandOptions, run: Run): Promise<void> {
  const { interruption, terminal } = run;
  await withArchive(options, run, async (archive) => {
    const { signal } = interruption;
    const chains = await archive.chains({ signal });
    const manifests = await Promise.all(chains.map((chain) => archive.manifest(chain, { signal })));
    if (options.json === true) {
      const data = manifests.map(({ chain, ...rest }) => ({ chain: chainName(chain), ...rest }));
      terminal.print(toJson({ place: archive.place, chains: data }));
      return;
    }
    if (manifests.length === 0)
      terminal.print(`Nothing of ${options.namespace} is archived at ${archive.place} yet.`);
    else
      for (const line of tableLines(
        columns,
        manifests.map((each) => row(each, terminal)),
        terminal,
      ))
        terminal.print(line);
    const lost = manifests.flatMap((manifest) => manifest.lost);
    if (lost.length === 0) return;
    terminal.note(
      terminal.paintNote(
        "yellow",
        `${counted(lost.length, "segment")} of a log that went back since: what they have beyond is not on the log any more. --json names them.`,
      ),
    );
  });
}

const columns = [
  { title: "what", widthMax: 40 },
  { title: "up to", align: "right" },
  { title: "records", align: "right" },
  { title: "inputs", align: "right" },
  { title: "segments", align: "right" },
  { title: "stored", align: "right" },
  { title: "from", widthMax: 19 },
  { title: "until" },
] as const;

function row(
  { archivedTo, chain, segments }: ChainManifest,
  terminal: Terminal,
): readonly string[] {
  const short = terminal.width < narrowBelow;
  const sum = (of: (segment: NamedSegment) => number): number =>
    segments.reduce((all, segment) => all + of(segment), 0);
  const [first, last] = [segments[0], segments.at(-1)];
  return [
    chainName(chain),
    count(archivedTo),
    count(sum(({ records }) => records)),
    count(sum(({ entries, records }) => entries - records)),
    count(segments.length),
    bytes(sum(({ storedBytes }) => storedBytes)),
    first === undefined ? "" : dateAndTime(first.firstAtMs, { short }),
    last === undefined ? "" : dateAndTime(last.lastAtMs, { short }),
  ];
}
