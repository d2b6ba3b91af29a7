/**
 * A snapshot: an agent's state after some turn, so that activation need not fold the whole history.
 *
 * A state is in stored form from the fold on (I12), so it comes back from a snapshot as it was.
 */
import { crc32 } from "node:zlib";

import { CorruptSnapshotError, StateTooLargeError } from "../errors/snapshot-errors.ts";
import type { Position } from "../log/input.ts";
import { decodeRecordPayload, encodeRecordPayload } from "../wire/payload.ts";

export interface Snapshot {
  readonly state: unknown;
  readonly turns: number;
  readonly lastInput: Position;
  /** Position of the record after which the state was like this. */
  readonly revision: Position;
  /**
   * Checksum of that record: the snapshot counts only while the journal has it there (I16).
   */
  readonly recordSum: number;
  /** What the state was folded with: the version of the state, and the declared events. */
  readonly foldVersion: string;
}

/** The checksum of a journal record, for `Snapshot.recordSum`. */
export function sumOfRecord(record: Uint8Array): number {
  return crc32(record);
}

/**
 * One byte of format, four of checksum, then MessagePack.
 *
 * @throws StateTooLargeError
 */
export function encodeSnapshot(snapshot: Snapshot, name: string, bytesMax: number): Uint8Array {
  const { state, turns, lastInput, revision, foldVersion, recordSum } = snapshot;
  const wire: WireSnapshot = [state, turns, lastInput, revision, foldVersion, recordSum];
  const body = encodeRecordPayload(wire);
  const bytes = new Uint8Array(headerBytes + body.byteLength);
  if (bytes.byteLength > bytesMax) throw tooLarge(name, bytes.byteLength, bytesMax);
  bytes[0] = format;
  new DataView(bytes.buffer).setUint32(1, crc32(body));
  bytes.set(body, headerBytes);
  return bytes;
}

/**
 * Never throws, because the journal has it all: undefined for a format that this version does not
 * know, an error for bytes that are not what was stored.
 */
export function decodeSnapshot(
  bytes: Uint8Array,
  name: string,
): Snapshot | CorruptSnapshotError | undefined {
  if (bytes.byteLength > 0 && bytes[0] !== format) return undefined;
  try {
    const body = bytes.subarray(headerBytes);
    const { buffer, byteOffset, byteLength } = bytes;
    if (new DataView(buffer, byteOffset, byteLength).getUint32(1) !== crc32(body)) {
      return corrupt(name, bytes);
    }
    const wire = decodeRecordPayload(body) as WireSnapshot;
    const [state, turns, lastInput, revision, foldVersion, recordSum] = wire;
    return { state, turns, lastInput, revision, foldVersion, recordSum };
  } catch (cause) {
    return corrupt(name, bytes, cause);
  }
}

const format = 2;
const headerBytes = 5;

/** State, turns, last input, revision, version of the fold, checksum of the record. */
type WireSnapshot = readonly [unknown, number, Position, Position, string, number];

function corrupt(name: string, bytes: Uint8Array, cause?: unknown): CorruptSnapshotError {
  return new CorruptSnapshotError(
    `The snapshot of ${name} (${bytes.byteLength} bytes) is corrupt and not used; the state is folded from the journal, and the next snapshot replaces it. If it happens again, check the storage of the log.`,
    { details: { agent: name, bytes: bytes.byteLength }, cause },
  );
}

function tooLarge(name: string, bytes: number, bytesMax: number): StateTooLargeError {
  return new StateTooLargeError(
    `The state of ${name} gets no snapshot: it would have ${bytes} bytes, the limit is ${bytesMax}. The agent goes on, but each activation folds its whole journal. Keep less in the state, or raise stateBytesMax up to what the log takes in one message.`,
    { details: { agent: name, bytes, bytesMax } },
  );
}
