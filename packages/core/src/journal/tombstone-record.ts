/**
 * The tombstone: the one entry that stays in the journal of an agent that was erased. It says up to
 * which input all is done, so that no earlier message runs again, who erased the agent, and why.
 * Turns that come after it belong to a new life.
 */
import type { Position } from "../definition/message/input.ts";
import { encodeRecordPayload } from "../wire/payload.ts";
import { requireFields } from "./record-fields.ts";
import { recordFormat } from "./turn-record-codec.ts";

export interface TombstoneRecord {
  /** The log that the position belongs to. */
  readonly log: string;
  /** Turns before the erasure; the next one has the number after that. */
  readonly turns: number;
  /** Every input up to here is done, whether it was handled or not (I4). */
  readonly inputPosition: Position;
  /**
   * Up to here inputs may have been handled, or begun; those behind it were not. A tombstone of
   * before that was noted does not say.
   */
  readonly handledTo?: Position | undefined;
  readonly erasedAtMs: number;
  /** The operator who erased it, and the reason: no personal data. */
  readonly by: string;
  readonly reason: string | undefined;
}

export function encodeTombstone(record: TombstoneRecord): Uint8Array {
  const { by, erasedAtMs, handledTo, inputPosition, log, reason, turns } = record;
  const wire: WireTombstone = {
    v: recordFormat,
    kind: "tombstone",
    l: log,
    n: turns,
    i: inputPosition,
    at: erasedAtMs,
    w: by,
  };
  if (handledTo !== undefined) wire.h = handledTo;
  if (reason !== undefined) wire.r = reason;
  return encodeRecordPayload(wire);
}

/** @throws UndecodablePayloadError */
export function tombstoneOf(wire: WireTombstone): TombstoneRecord {
  requireFields("tombstone", wire, { at: "number", i: "number", l: "string", n: "number" });
  const { at: erasedAtMs, h: handledTo, i: inputPosition, l: log, n: turns } = wire;
  const { r: reason, w: by } = wire;
  return { log, turns, inputPosition, handledTo, erasedAtMs, by, reason };
}

export interface WireTombstone {
  v: number;
  kind: "tombstone";
  l: string;
  n: number;
  i: Position;
  h?: Position;
  at: number;
  w: string;
  r?: string;
}
