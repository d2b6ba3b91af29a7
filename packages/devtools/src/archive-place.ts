/** Place of an archive, as `--archive` and TROUPE_ARCHIVE say it. */
import { DefinitionError } from "@troupe/core/errors";
import type { ArchiveStore } from "@troupe/core/archive";
import { directoryStore } from "@troupe/core/archive";
import { s3OptionsOf, s3Store } from "@troupe/archive-s3";
import { UsageError } from "./failure.ts";

/** A directory, or `s3://bucket/prefix?endpoint=…&region=…`. @throws UsageError */
export function archiveStore(place: string): ArchiveStore {
  try {
    if (/^s3:/i.test(place)) return s3Store(s3OptionsOf(place));
  } catch (cause) {
    if (!(cause instanceof DefinitionError)) throw cause;
    throw new UsageError(`--archive: ${cause.message}`, { cause });
  }
  if (!/^[a-z][a-z0-9+.-]+:\/\//i.test(place)) return directoryStore(place);
  throw new UsageError(`--archive ${place} is neither a directory nor s3://bucket/prefix.`);
}
