/** Base records that a journal is known to have: those behind which something may still go. */
import type { Position } from "../definition/message/input.ts";

/** A base record that the journal is known to have. */
export interface KnownBase {
  readonly revision: Position;
  readonly turns: number;
  readonly lastInput: Position;
  /** Time at which the last record before it was stored. */
  readonly coveredAtMs: number;
  readonly storedAtMs: number;
  readonly foldVersion: string;
  readonly ended: boolean;
}

/** Known base records with one more, and not too many. */
export function knowing(bases: readonly KnownBase[], next: KnownBase): readonly KnownBase[] {
  // The oldest is the first behind which something may go, the newest is the last.
  const others = bases.length < basesMax ? bases : bases.toSpliced(basesMax / 2, 1);
  return [...others, next];
}

const basesMax = 8;
