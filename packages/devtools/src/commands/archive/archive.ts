/** `troupe archive`: what of the log is kept elsewhere, and whether it is whole. */
import type { Archive, Troupe } from "@troupe/core";
import type { Command } from "commander";
import { openTroupe } from "../../connection.ts";
import { UsageError } from "../../failure.ts";
import type { GlobalOptions } from "../../global-options.ts";
import { addExamples } from "../../help-text.ts";
import type { Run } from "../../run.ts";
import { addArchiveCheck } from "./check.ts";
import { addArchiveKeep } from "./keep.ts";
import { addArchiveList } from "./list.ts";

export interface ArchiveCommandOptions extends GlobalOptions {
  readonly json?: boolean;
}

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

/** The archive and its log, for one command. @throws UsageError when no archive is named */
export async function withArchive(
  options: GlobalOptions,
  run: Run,
  work: (archive: Archive, troupe: Troupe) => Promise<void>,
): Promise<void> {
  if (options.archive === undefined) {
    throw new UsageError("Name the archive with --archive or TROUPE_ARCHIVE: a directory or s3://…");
  }
  await using troupe = await openTroupe(options, run, { createStreams: false });
  const { archive } = troupe;
  if (archive !== undefined) await run.interruption.orInterrupted(work(archive, troupe));
}
