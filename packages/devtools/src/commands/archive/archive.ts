/** `troupe archive`: what of the log is kept elsewhere, and whether it is whole. */
import type { Command } from "commander";
import { addExamples } from "../../help-text.ts";
import type { Run } from "../../run.ts";
import { addArchiveCheck } from "./check.ts";
import { addArchiveKeep } from "./keep.ts";
import { addArchiveList } from "./list.ts";

export function addArchive(program: Command, run: Run): void {
  const command = program
    .command("archive")
    .summary("archived journals and inputs: list, check, keep")
    .description(
      "The archive that --archive or TROUPE_ARCHIVE names: journals and inputs in compressed " +
        "segments, from before they are truncated on the log. inspect and project read archive and " +
        "log as one.",
    );
  addArchiveList(command, run);
  addArchiveCheck(command, run);
  addArchiveKeep(command, run);
  addExamples(command, [
    ["troupe archive list --archive ./archive", "what is archived, up to where"],
    ["troupe archive check --archive s3://bucket/prefix", "read all of it"],
    ["troupe archive keep order --archive ./archive", "archive all orders there are"],
  ]);
}
