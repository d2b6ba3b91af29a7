/** Park records: the journal says when an agent was parked and when it was resumed. */
import type { ErrorData } from "../errors/troupe-error.ts";
import type { Position } from "../log/input.ts";
import { encodeRecordPayload } from "../wire/payload.ts";
import { recordFormat } from "./turn-record.ts";

export interface ParkRecord {
  /** True when the agent was parked, false when it was resumed. */
  readonly parked: boolean;
  /** The message that could not be handled, or the one that resumed the agent. */
  readonly inputPosition: Position;
  readonly failure?: ErrorData | undefined;
  /** Handler runs that were spent on it. */
  readonly attempts: number;
  readonly worker: string;
}

export function encodeParkRecord(record: ParkRecord): Uint8Array {
  const { parked, inputPosition, failure, attempts, worker } = record;
  const wire: WirePark = { v: recordFormat, h: parked, i: inputPosition, k: attempts, w: worker };
  if (failure !== undefined) wire.f = failure;
  return encodeRecordPayload(wire);
}

export function parkRecordOf({ h, i, f, k, w }: WirePark): ParkRecord {
  return { parked: h, inputPosition: i, failure: f, attempts: k, worker: w };
}

export interface WirePark {
  v: number;
  h: boolean;
  i: Position;
  f?: ErrorData;
  k: number;
  w: string;
}
