/**
 * Reading a segment where it lies: an agent's part with two small reads, or all of it.
 *
 * Missing and damaged parts are errors with the segment and the agent. An agent that has nothing
 * in the segment, as the object beside it says, loses nothing by it (SEGMENT-2).
 */
import { ArchiveDamagedError, ArchiveMissingError } from "../../errors/archive-errors.ts";
import type { TroupeError } from "../../errors/troupe-error.ts";
import type { Position } from "../../definition/message/input.ts";
import type { ArchiveStore } from "./archive-store.ts";
import type { ArchivedEntry, Chain } from "./chain.ts";
import { chainName } from "./chain.ts";
import { isMember, membershipName } from "./membership.ts";
import type { Block, Damage, SegmentTail } from "./segment.ts";
import { blocksOfKey, readBlock, readTail, sha256, tailBytes, tailReadBytes } from "./segment.ts";

/** A segment as its chain's manifest names it. */
export interface NamedSegment {
  /** Name of the object in the store. */
  readonly name: string;
  readonly after: Position;
  /** Entries beyond it in the file do not count. */
  readonly to: Position;
  readonly entries: number;
  /** Number of journal records among the entries. */
  readonly records: number;
  readonly keys: number;
  /** Bytes of the entries before they are compressed, as `entryBytes` counts them. */
  readonly bytes: number;
  /** Bytes of the object. */
  readonly storedBytes: number;
  readonly sha256: string;
  /**
   * Times at which the log stored its first and its last entry, in milliseconds since the epoch.
   */
  readonly firstAtMs: number;
  readonly lastAtMs: number;
}

export interface SegmentPlace {
  readonly store: ArchiveStore;
  readonly chain: Chain;
  readonly signal?: AbortSignal | undefined;
}

/** All entries of a segment, in log order. @throws ArchiveMissingError, ArchiveDamagedError */
export async function readSegment(
  place: SegmentPlace,
  segment: NamedSegment,
): Promise<readonly ArchivedEntry[]> {
  const { signal, store } = place;
  const file = await store.get(segment.name, undefined, { signal });
  if (file === undefined) throw missing(place, segment);
  return (await decodeFile(place, segment, file)).filter(({ position }) => position <= segment.to);
}

/** All entries that a file has, in log order, also those that do not count any more. */
export async function decodeFile(
  place: SegmentPlace,
  segment: NamedSegment,
  file: Uint8Array,
): Promise<readonly ArchivedEntry[]> {
  const damage = damageOf(place, segment);
  const entries: ArchivedEntry[] = [];
  const tail = await readTail(file, damage);
  for (const block of tail.blocks) {
    const at = file.subarray(block.offset, block.offset + block.bytes);
    const near = damageOf(place, segment, `in the block that begins with ${block.firstKey}`);
    await readBlock(at, block, { damage: near, onEntry: (entry) => void entries.push(entry) });
  }
  if (sha256(file) !== segment.sha256) throw damage("its SHA-256 is not the manifest's");
  if (entries.length !== tail.entries) throw damage(`it has ${entries.length} of ${tail.entries}`);
  return entries.toSorted((one, other) => one.position - other.position);
}

/** A key's entries in a segment, in log order. */
export async function readKey(
  place: SegmentPlace,
  segment: NamedSegment,
  key: string,
): Promise<readonly ArchivedEntry[]> {
  try {
    const own: ArchivedEntry[] = [];
    const onEntry = (entry: ArchivedEntry): void => {
      if (entry.key === key && entry.position <= segment.to) own.push(entry);
    };
    await visitBlocks(place, segment, key, onEntry);
    return own;
  } catch (thrown) {
    const isLost = thrown instanceof ArchiveMissingError || thrown instanceof ArchiveDamagedError;
    if (!isLost || (await hasKey(place, segment, key)) !== false) throw thrown;
    return [];
  }
}

/** True when the segment has anything of the key; undefined when nobody can say. */
async function hasKey(
  { signal, store }: SegmentPlace,
  { name }: NamedSegment,
  key: string,
): Promise<boolean | undefined> {
  const object = await store.get(membershipName(name), undefined, { signal });
  return isMember(object, name, key);
}

async function visitBlocks(
  place: SegmentPlace,
  segment: NamedSegment,
  key: string,
  onEntry: (entry: ArchivedEntry) => void,
): Promise<void> {
  const blocks = blocksOfKey(await tailOf(place, segment, key), key);
  const [first, last] = [blocks[0], blocks.at(-1)];
  if (first === undefined || last === undefined) return;
  const from = first.offset;
  const file = await part(place, segment, { from, bytes: last.offset + last.bytes - from }, key);
  const damage = damageOf(place, segment, `of ${agentOf(place, key)}`);
  for (const block of blocks) {
    await readBlock(bytesOfBlock(file, block, from), block, { damage, onEntry });
  }
}

function bytesOfBlock(file: Uint8Array, { bytes, offset }: Block, from: Position): Uint8Array {
  return file.subarray(offset - from, offset - from + bytes);
}

async function tailOf(
  place: SegmentPlace,
  segment: NamedSegment,
  key: string,
): Promise<SegmentTail> {
  const damage = damageOf(place, segment, `looking for ${agentOf(place, key)}`);
  const read = (bytes: number): Promise<Uint8Array> =>
    part(place, segment, { from: -bytes, bytes }, key);
  const end = await read(tailReadBytes);
  const wanted = tailBytes(end, damage);
  return readTail(wanted > end.length ? await read(wanted) : end, damage);
}

async function part(
  place: SegmentPlace,
  segment: NamedSegment,
  range: { readonly from: number; readonly bytes: number },
  key: string,
): Promise<Uint8Array> {
  const { signal, store } = place;
  const bytes = await store.get(segment.name, range, { signal });
  if (bytes === undefined) throw missing(place, segment, key);
  return bytes;
}

function missing(place: SegmentPlace, segment: NamedSegment, key?: string): TroupeError {
  const { details, text } = described(place, segment);
  const agent = key === undefined ? undefined : agentOf(place, key);
  const whose = agent === undefined ? "" : `, which has a part of ${agent}`;
  return new ArchiveMissingError(
    `${text} is not in the archive${whose}. Its manifest names it: restore the object from a copy.`,
    { details: { ...details, agent } },
  );
}

function damageOf(place: SegmentPlace, segment: NamedSegment, where = ""): Damage {
  const { details, text } = described(place, segment);
  return (why) =>
    new ArchiveDamagedError(
      `${text} is damaged${where === "" ? "" : ` (${where})`}: ${why}. Restore the object from a copy.`,
      { details: { ...details, where: where === "" ? undefined : where } },
    );
}

function described(
  { chain, store }: SegmentPlace,
  { after, name, to }: NamedSegment,
): { readonly text: string; readonly details: Readonly<Record<string, unknown>> } {
  const details = { segment: name, chain: chainName(chain), after, to, place: store.place };
  const range = `positions ${after + 1} to ${to} of ${chainName(chain)}`;
  return { text: `The segment ${name} (${range}) at ${store.place}`, details };
}

/** `order/o-1`, or `topic/orders/o-1`. */
function agentOf({ chain: { kind, name } }: SegmentPlace, key: string): string {
  return kind === "agent" ? `${name}/${key}` : `topic/${name}/${key}`;
}
