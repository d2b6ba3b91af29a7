/**
 * Cells: small named values that several processes change together, by compare-and-set. They
 * coordinate; nothing that must be remembered for ever belongs in one.
 */
import { PayloadTooLargeError } from "../errors/log-errors.ts";
import { keyToToken } from "../definition/message/key-token.ts";
import type { Position } from "../definition/message/input.ts";
import type { LogLimits } from "./log-limits.ts";

/** A cell's value as it was stored. */
export interface Cell {
  /** Grows with every write to this cell; the next write names it. */
  readonly revision: Position;
  /** Bytes of the cell, never empty. */
  readonly value: Uint8Array;
  /** Time at which it was stored, in milliseconds since the epoch, by the log's clock. */
  readonly storedAtMs: number;
}

/**
 * Requires a name and value that fit, for implementations of the log. @throws InvalidKeyError,
 * PayloadTooLargeError
 */
export function requireCellFits(name: string, value: Uint8Array, limits: LogLimits): void {
  keyToToken(name);
  const { payloadBytesMax } = limits;
  if (value.length <= payloadBytesMax) return;
  throw new PayloadTooLargeError(
    `The value of the cell ${name} has ${value.length} bytes, the log takes ${payloadBytesMax}: nothing was stored.`,
    { details: { cell: name, bytes: value.length, bytesMax: payloadBytesMax } },
  );
}
