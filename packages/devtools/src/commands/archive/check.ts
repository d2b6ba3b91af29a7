/** `troupe archive check`: read everything, and compare it with its checksums. */
import { errorData } from "@troupe/core/log";
import { chainName } from "@troupe/core/archive";
import type { ArchiveCheck } from "@troupe/core/archive";
import type { Command } from "commander";
import { exitCode } from "../../exit-code.ts";
import { messageText } from "../../failure.ts";
import { addExamples } from "../../help-text.ts";
import type { Run } from "../../run.ts";
import { toJson } from "../../terminal/json.ts";
import { bytes, count, counted } from "../../terminal/quantities.ts";
import type { ArchiveCommandOptions } from "./with-archive.ts";
import { withArchive } from "./with-archive.ts";

export function addArchiveCheck(archive: Command, run: Run): void {
  const command = archive
    .command("check")
    .summary("read all of it, and compare checksums")
    .description(
      "Read every segment, and compare its entries with their checksums. Ends with 1 when anything is " +
        "missing or damaged, and names it.",
    )
    .option("--json", "a JSON line for each agent type and topic")
    .action(async (_: unknown, self: Command) => {
      await check(self.optsWithGlobals<ArchiveCommandOptions>(), run);
    });
  addExamples(command, [
    ["troupe archive check --archive ./archive", "after copying it, or monthly"],
  ]);
}

async function check(options: ArchiveCommandOptions, run: Run): Promise<void> {
  const { signal } = run.interruption;
  await withArchive(options, run, async (archive) => {
    for (const chain of await archive.chains({ signal })) {
      const found = await archive.check(chain, { signal });
      if (found.faults.length > 0) run.exitCode = exitCode.failed;
      show(found, options, run);
    }
  });
}

function show(found: ArchiveCheck, { json }: ArchiveCommandOptions, { terminal }: Run): void {
  const { chain, entries, faults, segments, storedBytes } = found;
  const what = chainName(chain);
  if (json === true) {
    terminal.print(toJson({ ...found, chain: what, faults: faults.map(errorData) }));
    return;
  }
  const outcome =
    faults.length === 0
      ? terminal.paint("green", "whole")
      : terminal.paint("red", `${counted(faults.length, "segment")} missing or damaged`);
  const noun = entries === 1 ? "entry" : "entries";
  const size = `${counted(segments, "segment")}, ${count(entries)} ${noun}, ${bytes(storedBytes)}`;
  terminal.print(`${what}  ${outcome}  ${size}`);
  for (const fault of faults) terminal.printLines(`  ${messageText(fault.message)}`);
}
