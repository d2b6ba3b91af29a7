/**
 * The entries of a journal: turn records, and others that stand between them. Every entry is a map
 * with its format (`v`); all but turns name their kind.
 *
 * FORMAT-1 A reader that meets a newer format, or a kind that it does not know, understands nothing
 * of
 *    the entry: it throws, and the agent waits for newer code (I15). It never skips one.
 * FORMAT-2 A reader ignores fields that it does not know. A field that must not be ignored needs a
 * newer
 *    format, or another kind of entry.
 */
import { UndecodablePayloadError } from "../errors/message-errors.ts";
import { CorruptBaseError } from "../errors/state-errors.ts";
import { decodeRecordPayload } from "../wire/payload.ts";
import type { BaseRecord, WireBase } from "./base-record.ts";
import { baseRecordOf } from "./base-record.ts";
import type { ParkRecord, WirePark } from "./park-record.ts";
import { parkRecordOf } from "./park-record.ts";
import type { StepRecord, WireSteps } from "./step-record.ts";
import { stepRecordOf } from "./step-record.ts";
import type { TombstoneRecord, WireTombstone } from "./tombstone-record.ts";
import { tombstoneOf } from "./tombstone-record.ts";
import type { TurnRecord } from "./turn-record.ts";
import type { WireRecord } from "./turn-record-codec.ts";
import { recordFormat, turnRecordOf } from "./turn-record-codec.ts";

/** An entry of a journal. */
export type JournalRecord =
  | { readonly kind: "turn"; readonly turn: TurnRecord }
  | { readonly kind: "steps"; readonly steps: StepRecord }
  | { readonly kind: "park"; readonly park: ParkRecord }
  | { readonly kind: "base"; readonly base: BaseRecord }
  | { readonly kind: "tombstone"; readonly tombstone: TombstoneRecord };

/**
 * Reader of each kind of entry. The map is one of this format; a missing field makes the reader
 * throw.
 */
const readers: Readonly<Record<string, (wire: WireEntry) => JournalRecord>> = {
  turn: (wire) => ({ kind: "turn", turn: turnRecordOf(wire as unknown as WireRecord) }),
  steps: (wire) => ({ kind: "steps", steps: stepRecordOf(wire as unknown as WireSteps) }),
  // A fork is a base record that says where it comes from; older code does not know the kind.
  forked: (wire) => ({ kind: "base", base: baseRecordOf(wire as unknown as WireBase) }),
  base: (wire) => ({ kind: "base", base: baseRecordOf(wire as unknown as WireBase) }),
  park: (wire) => ({ kind: "park", park: parkRecordOf(wire as unknown as WirePark) }),
  tombstone: (wire) => ({
    kind: "tombstone",
    tombstone: tombstoneOf(wire as unknown as WireTombstone),
  }),
};

/** Fields with which every entry begins. */
interface WireEntry {
  readonly v?: number;
  readonly kind?: string;
}

/**
 * @throws UndecodablePayloadError when the bytes are no journal record or of a newer format
 *
 * @example
 * ```ts
 * const record = decodeJournalRecord(bytes);
 * ```
 */
export function decodeJournalRecord(bytes: Uint8Array): JournalRecord {
  const wire = decodeRecordPayload(bytes) as WireEntry | null;
  const { kind = "turn", v: format } = wire ?? {};
  if (format !== recordFormat) throw newer(`has the format ${String(format)}`, { format });
  const read = Object.hasOwn(readers, kind) ? readers[kind] : undefined;
  if (read === undefined) throw newer(`is of the kind ${kind}`, { kind });
  try {
    return read(wire as WireEntry);
  } catch (cause) {
    if (cause instanceof UndecodablePayloadError || cause instanceof CorruptBaseError) throw cause;
    throw incomplete(kind, cause);
  }
}

/**
 * Whether the bytes are a turn's, seen from how they begin, so that nothing has to be decoded.
 * False also where only decoding can tell.
 */
export function isTurnRecord(bytes: Uint8Array): boolean {
  // A map of up to fifteen or of more entries, in the order in which they are written.
  const start = bytes[0] === 0xde ? 3 : 1;
  return turnBeginning.every((byte, index) => bytes[start + index] === byte);
}

/** `v: 1, n:` in MessagePack. */
const turnBeginning = [0xa1, 0x76, recordFormat, 0xa1, 0x6e] as const;

/**
 * @throws UndecodablePayloadError when the bytes are no turn record or of a newer format
 *
 * @example
 * ```ts
 * const { message, events } = decodeRecord(bytes);
 * ```
 */
export function decodeRecord(bytes: Uint8Array): TurnRecord {
  const entry = decodeJournalRecord(bytes);
  if (entry.kind === "turn") return entry.turn;
  throw new UndecodablePayloadError(`A journal record is of the kind ${entry.kind}, not a turn.`, {
    details: { kind: entry.kind },
  });
}

function newer(what: string, details: Readonly<Record<string, unknown>>): UndecodablePayloadError {
  return new UndecodablePayloadError(
    `A journal record ${what}, and this version reads the format ${recordFormat} with the kinds ${Object.keys(readers).join(", ")}: update Troupe.`,
    { details },
  );
}

function incomplete(kind: string, cause: unknown): UndecodablePayloadError {
  return new UndecodablePayloadError(
    `A journal record of the kind ${kind} lacks what every one has: it was not written by Troupe, or damaged.`,
    { details: { kind }, cause },
  );
}
