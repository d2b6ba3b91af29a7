/** Beginning of the commands about an archive. */
import type { Troupe } from "@troupe/core";
import type { Archive } from "@troupe/core/operate";
import { openTroupe } from "../../connection.ts";
import { UsageError } from "../../failure.ts";
import type { GlobalOptions } from "../../global-options.ts";
import type { Run } from "../../run.ts";

export interface ArchiveCommandOptions extends GlobalOptions {
  readonly json?: boolean;
}

/** The archive and its log, for one command. @throws UsageError when no archive is named */
export async function withArchive(
  options: GlobalOptions,
  run: Run,
  work: (archive: Archive, troupe: Troupe) => Promise<void>,
): Promise<void> {
  if (options.archive === undefined) {
    throw new UsageError(
      "Name the archive with --archive or TROUPE_ARCHIVE: a directory or s3://…",
    );
  }
  await using troupe = await openTroupe(options, run, { createStreams: false });
  const { archive } = troupe;
  if (archive !== undefined) await run.interruption.orInterrupted(work(archive, troupe));
}
