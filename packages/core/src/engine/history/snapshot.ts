/**
 * A snapshot: an agent's state after some turn, so that activation need not fold the whole history.
 *
 * A state is in stored form from the fold on (I12), so it comes back from a snapshot as it was.
 *
 * It is encrypted with a key that is made of the journal's record after which it was taken. A
 * reader of the journal loses nothing by that, because activation reads that record in any case
 * (I16). But a log keeps the bytes of snapshots that were replaced for some time in its files, and
 * with the record destroyed nobody can read them: an erasure needs not find them.
 */
import { createCipheriv, createDecipheriv, hkdfSync, randomBytes } from "node:crypto";
import { crc32 } from "node:zlib";

import { CorruptSnapshotError, StateTooLargeError } from "../../errors/snapshot-errors.ts";
import type { StateReferences } from "../personal/state-references.ts";
import type { Position } from "../../definition/message/input.ts";
import type { KnownBase } from "../../journal/known-base.ts";
import type { AfterEnd } from "../../definition/context.ts";
import { decodeRecordPayload, encodeRecordPayload } from "../../wire/payload.ts";

interface SnapshotOf {
  readonly turns: number;
  readonly lastInput: Position;
  /** Position of the record after which the state was like this. */
  readonly revision: Position;
  /**
   * Checksum of that record: the snapshot counts only while the journal has it there (I16).
   */
  readonly recordSum: number;
  /**
   * Versions that the state was folded with: that of the state, and those of the declared events.
   */
  readonly foldVersion: string;
  /** Inputs whose asks were left open and are not answered (ANSWER-1). */
  readonly openAsks: readonly Position[];
  /** Set when the agent has ended. */
  readonly ended: AfterEnd | undefined;
  /** Turns at the newest base record; 0 without one. */
  readonly baseTurns: number;
  /** Base records behind which something may still go. */
  readonly bases: readonly KnownBase[];
}

export interface Snapshot extends SnapshotOf {
  readonly state: unknown;
  /** Keys of the personal data in the state; it is kept sealed with all of them. */
  readonly references?: StateReferences | undefined;
}

/** A snapshot whose state is still closed. */
export interface KeptSnapshot extends SnapshotOf {
  readonly box: Uint8Array;
}

/** The checksum of a journal record, for `Snapshot.recordSum`. */
export function sumOfRecord(record: Uint8Array): number {
  return crc32(record);
}

/** Whether the journal has at a position what the snapshot was taken after. */
export function isTakenAfter(
  { recordSum, revision }: KeptSnapshot,
  at: Position,
  record: Uint8Array,
): boolean {
  return at === revision && sumOfRecord(record) === recordSum;
}

/**
 * Encodes a snapshot: a byte of format, four of checksum, then MessagePack.
 *
 * @param record the one at its revision
 * @throws StateTooLargeError
 */
export function encodeSnapshot(
  snapshot: Snapshot,
  record: Uint8Array,
  { bytesMax, name }: { readonly bytesMax: number; readonly name: string },
): Uint8Array {
  const { state, turns, lastInput, revision, foldVersion, recordSum, openAsks } = snapshot;
  const { baseTurns, bases, ended = null } = snapshot;
  const box = boxOf(encodeRecordPayload([state]), record);
  const place = [turns, lastInput, revision, foldVersion, recordSum] as const;
  const wire: WireSnapshot = [...place, box, openAsks, ended, baseTurns, ...bases.map(wireBase)];
  const body = encodeRecordPayload(wire);
  const bytes = new Uint8Array(headerBytes + body.byteLength);
  if (bytes.byteLength > bytesMax) throw tooLarge(name, bytes.byteLength, bytesMax);
  bytes[0] = format;
  new DataView(bytes.buffer).setUint32(1, crc32(body));
  bytes.set(body, headerBytes);
  return bytes;
}

/**
 * Decodes a snapshot and never throws, because the journal has it all: undefined for a format that
 * this version does not know, an error for bytes that are not what was stored.
 */
export function decodeSnapshot(
  bytes: Uint8Array,
  name: string,
): KeptSnapshot | CorruptSnapshotError | undefined {
  if (bytes.byteLength > 0 && bytes[0] !== format) return undefined;
  try {
    const body = bytes.subarray(headerBytes);
    const { buffer, byteOffset, byteLength } = bytes;
    if (new DataView(buffer, byteOffset, byteLength).getUint32(1) !== crc32(body)) {
      return corrupt(name, bytes.byteLength);
    }
    const wire = decodeRecordPayload(body) as WireSnapshot;
    const [turns, lastInput, revision, foldVersion, recordSum, box, ...rest] = wire;
    const [openAsks, ended, baseTurns, ...bases] = rest;
    const place = { turns, lastInput, revision, foldVersion, recordSum, box };
    const known = { baseTurns, bases: bases.map(knownBase) };
    return { ...place, openAsks, ended: ended ?? undefined, ...known };
  } catch (cause) {
    return corrupt(name, bytes.byteLength, cause);
  }
}

/** The snapshot with its state; an error when the record is not the one that closed it. */
export function openSnapshot(
  { box, ...snapshot }: KeptSnapshot,
  record: Uint8Array,
  name: string,
): Snapshot | CorruptSnapshotError {
  try {
    const [state] = decodeRecordPayload(unboxed(box, record)) as [unknown];
    return { ...snapshot, state };
  } catch (cause) {
    return corrupt(name, box.byteLength, cause);
  }
}

const format = 4;
const headerBytes = 5;
const cipher = "aes-256-gcm";
const nonceBytes = 12;
const tagBytes = 16;

/**
 * Turns, last input, revision, version of the fold, checksum of the record, the closed state, open
 * asks, how it ended, turns at the newest base record, base records.
 */
type WireSnapshot = readonly [
  number,
  Position,
  Position,
  string,
  number,
  Uint8Array,
  readonly Position[],
  AfterEnd | null,
  number,
  ...WireBase[],
];

/** Revision, turns, last input, when what it covers and itself were stored, its fold, an end. */
type WireBase = readonly [Position, number, Position, number, number, string, boolean];

function wireBase(base: KnownBase): WireBase {
  const { coveredAtMs, ended, foldVersion, lastInput, revision, storedAtMs, turns } = base;
  return [revision, turns, lastInput, coveredAtMs, storedAtMs, foldVersion, ended];
}

function knownBase(wire: WireBase): KnownBase {
  const [revision, turns, lastInput, coveredAtMs, storedAtMs, foldVersion, ended] = wire;
  return { revision, turns, lastInput, coveredAtMs, storedAtMs, foldVersion, ended };
}

/** Nonce, ciphertext, tag. */
function boxOf(content: Uint8Array, record: Uint8Array): Uint8Array {
  const nonce = randomBytes(nonceBytes);
  const encrypting = createCipheriv(cipher, keyOf(record, nonce), nonce);
  const parts = [nonce, encrypting.update(content), encrypting.final(), encrypting.getAuthTag()];
  return new Uint8Array(Buffer.concat(parts));
}

function unboxed(box: Uint8Array, record: Uint8Array): Uint8Array {
  const nonce = box.subarray(0, nonceBytes);
  const end = box.byteLength - tagBytes;
  const decrypting = createDecipheriv(cipher, keyOf(record, nonce), nonce);
  decrypting.setAuthTag(box.subarray(end));
  return Buffer.concat([decrypting.update(box.subarray(nonceBytes, end)), decrypting.final()]);
}

/** A record has two random ids of 16 bytes in it, so nobody guesses it. */
function keyOf(record: Uint8Array, nonce: Uint8Array): Uint8Array {
  return new Uint8Array(hkdfSync("sha256", record, nonce, "troupe snapshot", 32));
}

function corrupt(name: string, bytes: number, cause?: unknown): CorruptSnapshotError {
  return new CorruptSnapshotError(
    `The snapshot of ${name} (${bytes} bytes) is corrupt and not used; the state is folded from the journal, and the next snapshot replaces it. If it happens again, check the storage of the log.`,
    { details: { agent: name, bytes }, cause },
  );
}

function tooLarge(name: string, bytes: number, bytesMax: number): StateTooLargeError {
  return new StateTooLargeError(
    `The state of ${name} gets no snapshot: it would have ${bytes} bytes, the limit is ${bytesMax}. The agent goes on, but each activation folds its whole journal. Keep less in the state, or raise stateBytesMax up to what the log takes in one message.`,
    { details: { agent: name, bytes, bytesMax } },
  );
}
