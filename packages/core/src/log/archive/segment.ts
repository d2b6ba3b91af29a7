/**
 * Segments: files of a chain's entries over a range of positions.
 *
 *   magic | block … | tail | footer
 *
 * Entries lie by key, then by position, in blocks of some 64 KiB that are compressed one by one
 * (zstd); the tail names each block's first key. So an agent's part of a segment is found with two
 * small reads, whatever the segment's size, and the whole of it can be read in log order after
 * sorting.
 *
 *  SEGMENT-1 Every entry has a checksum of its own, every block one of its compressed bytes, the
 *     tail one in the footer, and the manifest has the SHA-256 of the file.
 *  SEGMENT-2 Damage costs the agents that lie there, not the others.
 */
import { createHash } from "node:crypto";
import { promisify } from "node:util";
import { crc32, zstdCompress, zstdDecompress } from "node:zlib";

import type { ArchiveDamagedError } from "../../errors/archive-errors.ts";
import type { Position } from "../../definition/message/input.ts";
import type { Metadata } from "../../definition/message/metadata.ts";
import { decodeRecordPayload, encodeRecordPayload } from "../../wire/payload.ts";
import type { ArchivedEntry, Chain } from "./chain.ts";

/** The chain of a segment, and the part of it that the segment has. */
export interface SegmentRange {
  /** The log, as `Log.id` says it. */
  readonly log: string;
  readonly chain: Chain;
  /**
   * Beginning of the range: it has everything of its chain after this position, up to and with
   * `to`.
   */
  readonly after: Position;
  readonly to: Position;
}

/** Place of a block, and the key it begins with. */
export interface Block {
  readonly firstKey: string;
  readonly offset: number;
  readonly bytes: number;
  readonly crc: number;
}

/** A segment's index, at its end. */
export interface SegmentTail extends SegmentRange {
  readonly entries: number;
  readonly blocks: readonly Block[];
}

const segmentFormat = 1;
/** A read of so much from the end has footer and tail of most segments. */
export const tailReadBytes: number = 32 * 1024;

const magic: Buffer = Buffer.from("troupe\u0001\n");
const footerBytes = 24;
const blockBytes = 64 * 1024;
const entryHeadBytes = 8;
const compress = promisify(zstdCompress);
const decompress = promisify(zstdDecompress);

/** A segment's bytes; the same entries give the same bytes. `entries` may be in any order. */
export async function encodeSegment(
  range: SegmentRange,
  entries: readonly ArchivedEntry[],
): Promise<Buffer> {
  const sorted = entries.toSorted(byKey);
  const parts: Buffer[] = [magic];
  const blocks: Block[] = [];
  let offset = magic.length;
  for (const { firstKey, raw } of rawBlocks(sorted)) {
    const block = await compress(raw);
    blocks.push({ firstKey, offset, bytes: block.length, crc: crc32(block) });
    parts.push(block);
    offset += block.length;
  }
  const tail = await compress(encodeTail({ ...range, entries: entries.length, blocks }));
  return Buffer.concat([...parts, tail, footer(offset, tail)]);
}

export function sha256(bytes: Uint8Array): string {
  return createHash("sha256").update(bytes).digest("hex");
}

/** An entry's size in a segment before it is compressed. */
export function entryBytes({ bytes, key }: ArchivedEntry): number {
  return bytes.length + key.length + entryOverheadBytes;
}

const entryOverheadBytes = 64;

function byKey(one: ArchivedEntry, other: ArchivedEntry): number {
  if (one.key !== other.key) return one.key < other.key ? -1 : 1;
  return one.position - other.position;
}

function* rawBlocks(
  sorted: readonly ArchivedEntry[],
): Generator<{ readonly firstKey: string; readonly raw: Buffer }> {
  let parts: Buffer[] = [];
  let bytes = 0;
  let firstKey = "";
  for (const entry of sorted) {
    if (bytes === 0) firstKey = entry.key;
    const encoded = encodeEntry(entry);
    parts.push(encoded);
    bytes += encoded.length;
    if (bytes < blockBytes) continue;
    yield { firstKey, raw: Buffer.concat(parts) };
    parts = [];
    bytes = 0;
  }
  if (bytes > 0) yield { firstKey, raw: Buffer.concat(parts) };
}

function encodeEntry({ bytes, key, kind, metadata, position, storedAtMs }: ArchivedEntry): Buffer {
  const wire: WireEntry = [kind === "turn" ? 0 : 1, key, position, storedAtMs, bytes];
  const body = encodeRecordPayload(metadata === undefined ? wire : [...wire, metadata]);
  const head = Buffer.alloc(entryHeadBytes);
  head.writeUInt32BE(body.length, 0);
  head.writeUInt32BE(crc32(body), 4);
  return Buffer.concat([head, body]);
}

type WireEntry = readonly [number, string, Position, number, Uint8Array, Metadata?];

/** Makes the error of a damaged part. */
export type Damage = (why: string) => ArchiveDamagedError;

/**
 * The entries of one block. @param block its compressed bytes. @throws what `damage` makes: of the
 * block, or of the one entry, after those before it were given to `onEntry`
 */
export async function readBlock(
  block: Uint8Array,
  { crc }: Pick<Block, "crc">,
  {
    damage,
    onEntry,
  }: { readonly damage: Damage; readonly onEntry: (entry: ArchivedEntry) => void },
): Promise<void> {
  if (crc32(block) !== crc) throw damage("a block's checksum is wrong");
  const raw = await decompress(block).catch(() => {
    throw damage("a block cannot be decompressed");
  });
  for (let at = 0; at < raw.length;) {
    const end = at + entryHeadBytes + (at + 4 <= raw.length ? raw.readUInt32BE(at) : Infinity);
    if (end > raw.length) throw damage("an entry ends beyond its block");
    const body = raw.subarray(at + entryHeadBytes, end);
    if (crc32(body) !== raw.readUInt32BE(at + 4)) throw damage("an entry's checksum is wrong");
    onEntry(entryOf(decodeRecordPayload(body) as WireEntry));
    at = end;
  }
}

function entryOf([kind, key, position, storedAtMs, bytes, metadata]: WireEntry): ArchivedEntry {
  const entry = { key, position, storedAtMs, bytes };
  return kind === 0 ? { kind: "turn", ...entry } : { kind: "input", ...entry, metadata };
}

/** The blocks in which a key's entries lie, if it has any. */
export function blocksOfKey({ blocks }: SegmentTail, key: string): readonly Block[] {
  const first = blocks.findIndex(({ firstKey }) => firstKey >= key);
  const start = Math.max(0, (first < 0 ? blocks.length : first) - 1);
  const end = blocks.findIndex(({ firstKey }) => firstKey > key);
  return blocks.slice(start, end < 0 ? blocks.length : end);
}

function encodeTail({ after, blocks, chain, entries, log, to }: SegmentTail): Uint8Array {
  const wire: WireTail = {
    v: segmentFormat,
    log,
    chain: [chain.kind, chain.name],
    range: [after, to],
    entries,
    blocks: blocks.map(({ bytes, crc, firstKey, offset }) => [firstKey, offset, bytes, crc]),
  };
  return encodeRecordPayload(wire);
}

interface WireTail {
  readonly v: number;
  readonly log: string;
  readonly chain: readonly [Chain["kind"], string];
  readonly range: readonly [Position, Position];
  readonly entries: number;
  readonly blocks: readonly (readonly [string, number, number, number])[];
}

function footer(tailOffset: number, tail: Uint8Array): Buffer {
  const bytes = Buffer.alloc(footerBytes);
  bytes.writeDoubleBE(tailOffset, 0);
  bytes.writeUInt32BE(tail.length, 8);
  bytes.writeUInt32BE(crc32(tail), 12);
  magic.copy(bytes, 16);
  return bytes;
}

/** Size of tail and footer together, from a segment's last bytes. @throws what `damage` makes */
export function tailBytes(end: Uint8Array, damage: Damage): number {
  const bytes = Buffer.from(end.buffer, end.byteOffset, end.length);
  const at = bytes.length - footerBytes;
  if (at < 0 || !bytes.subarray(at + 16).equals(magic)) throw damage("it has no end");
  return bytes.readUInt32BE(at + 8) + footerBytes;
}

/** The tail, from at least the last `tailBytes` of a segment. @throws what `damage` makes */
export async function readTail(end: Uint8Array, damage: Damage): Promise<SegmentTail> {
  const bytes = Buffer.from(end.buffer, end.byteOffset, end.length);
  const at = bytes.length - footerBytes;
  const from = bytes.length - tailBytes(end, damage);
  const tail = bytes.subarray(Math.max(0, from), at);
  if (from < 0 || crc32(tail) !== bytes.readUInt32BE(at + 12)) throw damage("its tail is damaged");
  const wire = decodeRecordPayload(await decompress(tail)) as WireTail;
  if (wire.v !== segmentFormat) {
    throw damage(`it has format ${wire.v} and this version reads ${segmentFormat}: update Troupe`);
  }
  const { blocks, entries, log } = wire;
  const [kind, name] = wire.chain;
  const [after, to] = wire.range;
  return {
    log,
    chain: { kind, name },
    after,
    to,
    entries,
    blocks: blocks.map(([firstKey, offset, length, crc]) => ({
      firstKey,
      offset,
      bytes: length,
      crc,
    })),
  };
}
