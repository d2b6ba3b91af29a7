/** Park records: the journal says when an agent was parked and when it was resumed. */
import type { ErrorData } from "../errors/troupe-error.ts";
import type { Position } from "../definition/message/input.ts";
import { encodeRecordPayload } from "../wire/payload.ts";
import type { EarlierRun, WireRun } from "./earlier-run.ts";
import { fromWireRun, toWireRun } from "./earlier-run.ts";
import { requireFields } from "./record-fields.ts";
import { recordFormat } from "./turn-record-codec.ts";

export interface ParkRecord {
  /** The id of the log that has the message, as in `TurnRecord`. */
  readonly log: string;
  /** True when the agent was parked, false when it was resumed. */
  readonly parked: boolean;
  /** The message that could not be handled, or the one that resumed the agent. */
  readonly inputPosition: Position;
  readonly failure?: ErrorData | undefined;
  /** Handler runs that were spent on it. */
  readonly attempts: number;
  /** The last runs that failed before the one that parked the agent; absent without any. */
  readonly earlierRuns?: readonly EarlierRun[] | undefined;
  readonly worker: string;
}

/** Reason why an agent is parked, and the message it is parked at. */
export interface Parked {
  /** The message that could not be handled. */
  readonly inputPosition: Position;
  readonly failure: ErrorData;
  /** Position of the record that says so. */
  readonly revision: Position;
}

export function encodeParkRecord(record: ParkRecord): Uint8Array {
  const { attempts, earlierRuns, failure, inputPosition, log, parked, worker } = record;
  const wire: WirePark = {
    v: recordFormat,
    kind: "park",
    l: log,
    h: parked,
    i: inputPosition,
    k: attempts,
    w: worker,
  };
  if (failure !== undefined) wire.f = failure;
  if (earlierRuns !== undefined && earlierRuns.length > 0) wire.g = earlierRuns.map(toWireRun);
  return encodeRecordPayload(wire);
}

/** @throws UndecodablePayloadError */
export function parkRecordOf(wire: WirePark): ParkRecord {
  requireFields("park", wire, { i: "number", k: "number", l: "string", w: "string" });
  const { f: failure, g, h: parked, i: inputPosition, k: attempts, l: log, w: worker } = wire;
  const earlierRuns = g?.map(fromWireRun);
  return { log, parked, inputPosition, failure, attempts, earlierRuns, worker };
}

export interface WirePark {
  v: number;
  kind: "park";
  l: string;
  h: boolean;
  i: Position;
  f?: ErrorData;
  k: number;
  g?: WireRun[];
  w: string;
}
