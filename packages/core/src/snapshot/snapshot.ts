/**
 * A snapshot: an agent's state after some turn, so that activation need not fold the whole history.
 *
 * The state has to be plain data, or it would come back as something else: a Map as an object, an
 * instance without its methods. That is checked when a snapshot is taken, and such a state simply
 * gets none.
 */
import { UnsnapshotableStateError } from "../errors/message-errors.ts";
import type { Position } from "../log/input.ts";
import { decodePayload, encodePayload } from "../wire/payload.ts";

export interface Snapshot {
  readonly state: unknown;
  readonly turns: number;
  readonly lastInput: Position;
  /** Position of the record after which the state was like this. */
  readonly revision: Position;
  /** What the state was folded with: the versions of the state and of its events. */
  readonly foldVersion: string;
}

/** @throws UnsnapshotableStateError when the state is not plain data */
export function encodeSnapshot(snapshot: Snapshot, name: string): Uint8Array {
  const path = pathOfOddValue(snapshot.state, "state");
  if (path !== undefined) {
    throw new UnsnapshotableStateError(
      `The state of ${name} gets no snapshot: ${path} is not plain data. Use objects, arrays, strings, numbers, booleans, null, dates and bytes.`,
      { details: { agent: name, path } },
    );
  }
  const { state, turns, lastInput, revision, foldVersion } = snapshot;
  return encodePayload({
    v: format,
    s: state,
    n: turns,
    i: lastInput,
    r: revision,
    d: foldVersion,
  });
}

/** Undefined for a format this version does not know: then the journal is folded. */
export function decodeSnapshot(bytes: Uint8Array): Snapshot | undefined {
  const wire = decodePayload(bytes, "application/msgpack") as WireSnapshot | null;
  if (wire?.v !== format) return undefined;
  const { s: state, n: turns, i: lastInput, r: revision, d: foldVersion } = wire;
  return { state, turns, lastInput, revision, foldVersion };
}

const format = 1;

interface WireSnapshot {
  readonly v: number;
  readonly s: unknown;
  readonly n: number;
  readonly i: Position;
  readonly r: Position;
  readonly d: string;
}

/** Where in a value something is that would not come back as it was stored. */
function pathOfOddValue(value: unknown, path: string): string | undefined {
  if (value === null || typeof value !== "object") return isPlainScalar(value) ? undefined : path;
  if (value instanceof Date || value instanceof Uint8Array) return undefined;
  const prototype: unknown = Object.getPrototypeOf(value);
  if (!Array.isArray(value) && prototype !== Object.prototype && prototype !== null) return path;
  for (const [name, property] of Object.entries(value)) {
    const found = pathOfOddValue(property, `${path}.${name}`);
    if (found !== undefined) return found;
  }
  return undefined;
}

function isPlainScalar(value: unknown): boolean {
  return !(typeof value === "function" || typeof value === "symbol" || typeof value === "bigint");
}
