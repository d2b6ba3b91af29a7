/** A message on the log, as the engine reads it. */
import type { TroupeError } from "../../errors/troupe-error.ts";
import type { Address } from "./address.ts";
import type { Metadata } from "./metadata.ts";

/**
 * A place in the log: a positive integer that grows with every stored message. 0 is before the
 * first.
 */
export type Position = number;

/** A message that a publisher, a client or a turn puts on the log. */
export interface InputDraft {
  readonly address: Address;
  readonly metadata: Metadata;
  readonly payload: Uint8Array;
}

/** An accepted message. `metadata` may be decoded lazily; `payload` must not be changed. */
export interface Input {
  readonly position: Position;
  readonly address: Address;
  readonly metadata: Metadata;
  readonly payload: Uint8Array;
  /** Time at which the log accepted it, in milliseconds since the epoch. */
  readonly acceptedAtMs: number;
  /** Set when the subject itself cannot be an address; such an input only becomes a dead letter. */
  readonly fault?: TroupeError | undefined;
}

/**
 * Share of a window in bytes that an input with this payload takes; even the smallest input takes
 * memory.
 */
export function inputBytes(payloadBytes: number): number {
  return payloadBytes + inputOverheadBytes;
}

const inputOverheadBytes = 512;

/**
 * The log's answer to an accepted message. `duplicate` means that this id was stored before, at
 * that position.
 */
export interface Accepted {
  readonly position: Position;
  readonly duplicate: boolean;
}
