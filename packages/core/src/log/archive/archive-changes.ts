/** Changes of an archive by others while somebody reads it. */
import { ArchiveBusyError, ArchiveMissingError } from "../../errors/archive-errors.ts";
import type { Archive } from "./archive-port.ts";
import type { Chain } from "./chain.ts";

/** Number of times in a row that an archive may have changed while one part of it was read. */
export const triesMax = 50;

/** Error of an archive that changes all the time; a store whose lists are behind looks the same. */
export function archiveUnsteady({ place }: Archive, what: string): ArchiveBusyError {
  return new ArchiveBusyError(
    `The archive of ${what} at ${place} changed ${triesMax} times while one part of it was read. Try again; if it stays ` +
      "so, the store does not list at once what was put.",
    { details: { place, what } },
  );
}

/**
 * Tells a segment that was replaced, which the manifest does not name any more, from a missing one
 * (ACROSS-2).
 */
export async function isReplaced(
  archive: Archive,
  chain: Chain,
  thrown: unknown,
): Promise<boolean> {
  if (!(thrown instanceof ArchiveMissingError)) return false;
  const { lost, segments } = await archive.manifest(chain);
  return ![...segments, ...lost].some(({ name }) => name === thrown.details["segment"]);
}
