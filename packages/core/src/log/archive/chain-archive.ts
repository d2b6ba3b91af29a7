/**
 * Archiving one chain (MANIFEST-1 to MANIFEST-3 are the manifest's).
 *
 *  CHAIN-1 A segment counts after it was written, read back and compared, entry by entry; the
 *     manifest names it then, with the new frontier, in one change. A crash before leaves objects
 *     that nobody names.
 *  CHAIN-2 The frontier never passes an entry that no segment has: a segment is made of what the
 *     log has after the frontier of the very manifest that the change replaces.
 *  CHAIN-3 One segment at a time is held in memory (I7). Small segments at the end are written
 *     together with what comes, so their number stays small however often little is archived.
 *  CHAIN-4 An erased key is in no object that anybody names, and an archiver that was about to name
 *     one that has it is refused.
 */
import { ArchiveBusyError } from "../../errors/archive-errors.ts";
import { LogWentBackError } from "../../errors/log-errors.ts";
import type { Position } from "../../definition/message/input.ts";
import type { Mark } from "../log-end.ts";
import type { ArchiveErasure } from "./archive-port.ts";
import { endMark, fittedManifest } from "./archive-fit.ts";
import type { FittedLog } from "./archive-fit.ts";
import type { ArchiveStore } from "./archive-store.ts";
import type { ArchivedEntry, Chain } from "./chain.ts";
import { chainName } from "./chain.ts";
import type { ChainSpan } from "./chain-entries.ts";
import { chainEntries } from "./chain-entries.ts";
import type { ChainManifest, NumberedManifest } from "./chain-manifest.ts";
import { ChainManifests, chainPrefix } from "./chain-manifest.ts";
import { membershipName } from "./membership.ts";
import type { NamedSegment } from "./segment-file.ts";
import { readSegment } from "./segment-file.ts";
import { SegmentWriter } from "./segment-writer.ts";
import { entryBytes } from "./segment.ts";

export interface ChainSettings {
  /** Bytes of entries in a segment, before they are compressed. */
  readonly segmentBytesMax: number;
  /** Hears of a log that went back. */
  readonly onFault: (what: string, thrown: unknown) => void;
}

interface ChainHost extends ChainSettings {
  readonly log: FittedLog;
  readonly store: ArchiveStore;
  /** Name of the log, as `Log.id` says it. */
  readonly logName: string;
}

/** Number of changes by others in a row after which this one gives up. */
const triesMax = 50;

export class ChainArchive {
  readonly manifests: ChainManifests;
  readonly #host: ChainHost;
  readonly #chain: Chain;
  readonly #prefix: string;
  readonly #writer: SegmentWriter;
  #isSwept = false;
  #queue: Promise<unknown> = Promise.resolve();

  constructor(host: ChainHost, chain: Chain) {
    this.#host = host;
    this.#chain = chain;
    this.#prefix = `${chainPrefix(host.logName, chain)}segments/`;
    this.manifests = new ChainManifests(host.store, host.logName, chain);
    this.#writer = new SegmentWriter({ ...host, chain, prefix: this.#prefix });
  }

  /** See `Archive.keep`. One after the other, because one that waits may find it done. */
  keep(upTo: Position, signal: AbortSignal | undefined): Promise<Position> {
    const kept = this.#queue.then(() => this.#keep(upTo, signal));
    this.#queue = kept.catch(() => undefined);
    return kept;
  }

  async #keep(upTo: Position, signal: AbortSignal | undefined): Promise<Position> {
    if (!this.#isSwept) await this.sweep(signal);
    this.#isSwept = true;
    let reached = -1;
    // Each round archives more, unless others are quicker; a store whose lists are behind gets
    // stuck.
    for (let tries = 0; tries < triesMax; tries += 1) {
      signal?.throwIfAborted();
      const base = await this.manifests.latest(signal);
      if (base.archivedTo > reached) tries = 0;
      reached = Math.max(reached, base.archivedTo);
      const fitted = await fittedManifest(this.#host.log, base);
      if (fitted !== base) {
        await this.#cut(base, fitted);
        continue;
      }
      if (base.archivedTo >= upTo) return base.archivedTo;
      const end = await this.#reached(upTo);
      // Beyond the last thing that is there, nothing can be truncated, and nothing be recognised.
      const until = Math.min(upTo, end.position);
      if (base.archivedTo >= until) return base.archivedTo;
      await this.#extend({ base, end, until }, signal);
    }
    throw this.#busy("archive");
  }

  /** Adds a segment, or the frontier alone, unless another archiver was quicker. */
  async #extend(
    {
      base,
      end,
      until,
    }: { readonly base: NumberedManifest; readonly end: Mark; readonly until: Position },
    signal: AbortSignal | undefined,
  ): Promise<void> {
    const gathered = await this.#gather({ after: base.archivedTo, upTo: until, signal });
    const next = { ...base, archivedTo: gathered.to, mark: end };
    if (gathered.entries.length === 0) {
      await this.manifests.replace(base, next);
      return;
    }
    const { segments, taken } = await this.#absorbed(base, gathered, signal);
    const after = segments.at(-1)?.to ?? 0;
    const entries = [...taken, ...gathered.entries];
    const written = await this.#writer.write({ after, to: gathered.to }, entries, signal);
    const extended = { ...next, segments: [...segments, written] };
    const isChanged = await this.manifests.replace(base, extended);
    await this.#removeUnnamed(isChanged ? base.segments.slice(segments.length) : [written]);
  }

  /** Reads the log after the frontier, up to `upTo` or as much as a segment takes. */
  async #gather(span: ChainSpan): Promise<Gathered> {
    const entries: ArchivedEntry[] = [];
    let bytes = 0;
    for await (const entry of chainEntries(this.#host.log, this.#chain, span)) {
      entries.push(entry);
      bytes += entryBytes(entry);
      if (bytes >= this.#host.segmentBytesMax) return { entries, bytes, to: entry.position };
    }
    return { entries, bytes, to: span.upTo };
  }

  /** CHAIN-3: small segments at the end are taken up again, so that each is twice the next. */
  async #absorbed(
    { segments }: ChainManifest,
    gathered: Gathered,
    signal: AbortSignal | undefined,
  ): Promise<{ readonly segments: readonly NamedSegment[]; readonly taken: ArchivedEntry[] }> {
    let left = segments.length;
    let bytes = gathered.bytes;
    while (gathered.entries.length > 0) {
      const last = segments[left - 1];
      if (last === undefined || last.bytes > 2 * bytes) break;
      if (last.bytes + bytes > this.#host.segmentBytesMax) break;
      bytes += last.bytes;
      left -= 1;
    }
    const taken: ArchivedEntry[] = [];
    for (const segment of segments.slice(left)) {
      taken.push(...(await readSegment(this.#writer.place(signal), segment)));
    }
    return { segments: segments.slice(0, left), taken };
  }

  /** See `Archive.erase` (CHAIN-4). */
  async erase(key: string, signal: AbortSignal | undefined): Promise<ArchiveErasure> {
    for (let refused = 0; refused < triesMax; refused += 1) {
      const base = await this.manifests.latest(signal);
      const rewritten = new Map<string, NamedSegment | undefined>();
      let entries = 0;
      for (const segment of uniqueSegments(base)) {
        const outcome = await this.#withoutKey(segment, key, signal);
        if (outcome === undefined) continue;
        entries += outcome.removed;
        rewritten.set(segment.name, outcome.segment);
      }
      // Changed also when nothing is: an archiver that is about to name a segment must read the log
      // again.
      if (await this.manifests.replace(base, withRewritten(base, rewritten))) {
        await this.#removeUnnamed(uniqueSegments(base).filter(({ name }) => rewritten.has(name)));
        await this.sweep(signal);
        return { segments: rewritten.size, entries };
      }
      await this.#removeUnnamed([...rewritten.values()].filter((each) => each !== undefined));
    }
    throw this.#busy(`erase ${key} from`);
  }

  /** The segment without a key, written; undefined when it has nothing of it. */
  async #withoutKey(
    segment: NamedSegment,
    key: string,
    signal: AbortSignal | undefined,
  ): Promise<{ readonly segment: NamedSegment | undefined; readonly removed: number } | undefined> {
    const all = await readSegment(this.#writer.place(signal), { ...segment, to: Infinity });
    const rest = all.filter((entry) => entry.key !== key);
    const removed = all.length - rest.length;
    if (removed === 0) return undefined;
    if (rest.length === 0) return { segment: undefined, removed };
    return { segment: await this.#writer.write(segment, rest, signal), removed };
  }

  /** See `Archive.sweep` (MANIFEST-3). */
  async sweep(signal: AbortSignal | undefined): Promise<number> {
    for (let refused = 0; refused < triesMax; refused += 1) {
      const objects = await this.#host.store.list(this.#prefix, { signal });
      const base = await this.manifests.latest(signal);
      const named = namesOf(base);
      const unnamed = objects.filter(({ name }) => !named.has(name));
      if (unnamed.length === 0) return 0;
      if (!(await this.manifests.replace(base, base))) continue;
      for (const { name } of unnamed) await this.#host.store.remove(name, { signal });
      return unnamed.length;
    }
    throw this.#busy("sweep");
  }

  async #cut(base: NumberedManifest, fitted: NumberedManifest): Promise<void> {
    if (!(await this.manifests.replace(base, fitted))) return;
    const chain = chainName(this.#chain);
    const details = { chain, archivedTo: base.archivedTo, common: fitted.archivedTo };
    const error = new LogWentBackError(
      `The log went back: the archive has ${chain} up to position ${base.archivedTo}, and the log is the same up to ` +
        `${fitted.archivedTo}. What the archive has beyond is kept apart, as lost; archiving goes on from there.`,
      { details },
    );
    this.#host.onFault("archiving", error);
  }

  /** The log's end. @throws LogWentBackError when that is before `upTo` */
  async #reached(upTo: Position): Promise<Mark> {
    const end = await endMark(this.#host.log);
    if (end.last >= upTo) return end.mark;
    const chain = chainName(this.#chain);
    throw new LogWentBackError(
      `The log ends at ${end.last}, before the position ${upTo} up to which ${chain} should be archived.`,
      { details: { chain, upTo, last: end.last } },
    );
  }

  /** Objects of ours, or that the manifest named before, unless it names them now. */
  async #removeUnnamed(segments: readonly NamedSegment[]): Promise<void> {
    if (segments.length === 0) return;
    const named = namesOf(await this.manifests.latest());
    for (const { name } of segments) {
      if (named.has(name)) continue;
      await this.#host.store.remove(name);
      await this.#host.store.remove(membershipName(name));
    }
  }

  #busy(what: string): ArchiveBusyError {
    const chain = chainName(this.#chain);
    return new ArchiveBusyError(
      `Others changed the archive of ${chain} ${triesMax} times while this process was about to ${what} it. Try again.`,
      { details: { chain } },
    );
  }
}

interface Gathered {
  readonly entries: readonly ArchivedEntry[];
  readonly bytes: number;
  readonly to: Position;
}

/** A segment may be named twice: as far as it counts, and as lost. */
function uniqueSegments({ lost, segments }: ChainManifest): readonly NamedSegment[] {
  return [...new Map([...segments, ...lost].map((each) => [each.name, each])).values()];
}

function namesOf(manifest: ChainManifest): ReadonlySet<string> {
  return new Set(uniqueSegments(manifest).flatMap(({ name }) => [name, membershipName(name)]));
}

function withRewritten(
  base: ChainManifest,
  rewritten: ReadonlyMap<string, NamedSegment | undefined>,
): ChainManifest {
  const replaced = (segment: NamedSegment): readonly NamedSegment[] => {
    if (!rewritten.has(segment.name)) return [segment];
    const written = rewritten.get(segment.name);
    return written === undefined ? [] : [{ ...written, after: segment.after, to: segment.to }];
  };
  return {
    ...base,
    segments: base.segments.flatMap(replaced),
    lost: base.lost.flatMap(replaced),
  };
}
