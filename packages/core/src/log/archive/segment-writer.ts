/** Writing the segments of one chain, so that nobody can take half of one for a whole (CHAIN-1). */
import { randomBytes } from "node:crypto";

import { ArchiveDamagedError } from "../../errors/archive-errors.ts";
import type { Position } from "../../definition/message/input.ts";
import type { ArchiveStore } from "./archive-store.ts";
import type { ArchivedEntry, Chain } from "./chain.ts";
import { chainName } from "./chain.ts";
import { encodeMembership, membershipName } from "./membership.ts";
import type { NamedSegment, SegmentPlace } from "./segment-file.ts";
import { decodeFile } from "./segment-file.ts";
import { encodeSegment, entryBytes, sha256 } from "./segment.ts";

export interface SegmentTarget {
  readonly store: ArchiveStore;
  readonly chain: Chain;
  /** Name of the log, as `Log.id` says it. */
  readonly logName: string;
  /** Begins the names of the segments. */
  readonly prefix: string;
}

export class SegmentWriter {
  readonly #target: SegmentTarget;

  constructor(target: SegmentTarget) {
    this.#target = target;
  }

  /** CHAIN-1: written, read back and compared; nobody names it yet. */
  async write(
    { after, to }: { readonly after: Position; readonly to: Position },
    entries: readonly ArchivedEntry[],
    signal: AbortSignal | undefined,
  ): Promise<NamedSegment> {
    const { chain, logName: log, prefix, store } = this.#target;
    const file = await encodeSegment({ log, chain, after, to }, entries);
    const id = `${positionName(after + 1)}-${positionName(to)}-${randomBytes(9).toString("base64url")}`;
    const times = entries.map(({ storedAtMs }) => storedAtMs);
    const keys = new Set(entries.map(({ key }) => key));
    const segment: NamedSegment = {
      name: prefix + id,
      after,
      to,
      entries: entries.length,
      records: entries.filter(({ kind }) => kind === "turn").length,
      keys: keys.size,
      bytes: entries.reduce((sum, entry) => sum + entryBytes(entry), 0),
      storedBytes: file.length,
      sha256: sha256(file),
      firstAtMs: times.reduce((one, other) => Math.min(one, other), Infinity),
      lastAtMs: times.reduce((one, other) => Math.max(one, other), 0),
    };
    const membership = encodeMembership(segment.name, keys);
    await store.put(membershipName(segment.name), membership, { signal });
    await store.put(segment.name, file, { signal });
    await this.#verify(segment, { entries, membership }, signal);
    return segment;
  }

  async #verify(
    segment: NamedSegment,
    wanted: { readonly entries: readonly ArchivedEntry[]; readonly membership: Uint8Array },
    signal: AbortSignal | undefined,
  ): Promise<void> {
    const { chain, store } = this.#target;
    const file = await store.get(segment.name, undefined, { signal });
    const stored = file && (await decodeFile(this.place(signal), segment, file));
    const membership = await store.get(membershipName(segment.name), undefined, { signal });
    const inOrder = wanted.entries.toSorted((one, other) => one.position - other.position);
    const isSame =
      stored?.length === inOrder.length &&
      inOrder.every((entry, index) => isSameEntry(entry, stored[index])) &&
      membership !== undefined &&
      sha256(membership) === sha256(wanted.membership);
    if (isSame) return;
    throw new ArchiveDamagedError(
      `The segment ${segment.name} at ${store.place} is not what was written a moment ago. It is not used, ` +
        "and nothing is truncated; look at the store.",
      { details: { segment: segment.name, chain: chainName(chain), place: store.place } },
    );
  }

  place(signal: AbortSignal | undefined): SegmentPlace {
    return { store: this.#target.store, chain: this.#target.chain, signal };
  }
}

function isSameEntry(one: ArchivedEntry, other: ArchivedEntry | undefined): boolean {
  return (
    other !== undefined &&
    one.kind === other.kind &&
    one.key === other.key &&
    one.position === other.position &&
    Buffer.compare(one.bytes, other.bytes) === 0
  );
}

/** A position as wide as positions get, so that names sort as positions do. */
function positionName(position: Position): string {
  return String(position).padStart(16, "0");
}
