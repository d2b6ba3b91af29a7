/**
 * Step records: results of effects, stored in the journal while their turn is still running (I6).
 *
 * They stand between turn records on the same subject and under the same expected revisions, so a
 * worker that no longer owns the agent cannot record a step. A turn may leave several; they belong
 * to the turn by its input's position.
 */
import type { Position } from "../log/input.ts";
import { decodeRecordPayload, encodeRecordPayload } from "../wire/payload.ts";
import { UndecodablePayloadError } from "../errors/message-errors.ts";
import type { ParkRecord, WirePark } from "./park-record.ts";
import { parkRecordOf } from "./park-record.ts";
import type { RecordedStep, WireStep } from "./recorded-step.ts";
import { fromWireStep, toWireStep } from "./recorded-step.ts";
import type { TurnRecord } from "./turn-record.ts";
import { decodeRecord, recordFormat } from "./turn-record.ts";

/** Without steps it says only that this worker had the agent then (S6). */
export interface StepRecord {
  /** The input whose turn took these steps. */
  readonly inputPosition: Position;
  readonly steps: readonly RecordedStep[];
  readonly worker: string;
  /**
   * Set when it says that a run begins, of a message that may end its process: the worker's
   * session, one for each start of a process (R1 in run-counting.ts).
   */
  readonly begun?: string | undefined;
  /** Set when it says that such a run of this session ended without its process. */
  readonly ended?: string | undefined;
}

/** What the journal holds. */
export type JournalRecord =
  | { readonly kind: "turn"; readonly turn: TurnRecord }
  | { readonly kind: "steps"; readonly steps: StepRecord }
  | { readonly kind: "park"; readonly park: ParkRecord };

export function encodeStepRecord({
  begun,
  ended,
  inputPosition,
  steps,
  worker,
}: StepRecord): Uint8Array {
  const wire: WireSteps = {
    v: recordFormat,
    q: steps.map(toWireStep),
    i: inputPosition,
    w: worker,
  };
  if (begun !== undefined) wire.b = begun;
  if (ended !== undefined) wire.x = ended;
  return encodeRecordPayload(wire);
}

/**
 * A record that changes nothing, for what a log finds in a journal that no engine wrote. It keeps
 * its place, because the fence counts it.
 */
export function emptyRecord(): Uint8Array {
  return encodeStepRecord({ inputPosition: 0, steps: [], worker: "" });
}

/** @throws UndecodablePayloadError when the bytes are no journal record or of a newer format */
export function decodeJournalRecord(bytes: Uint8Array): JournalRecord {
  const wire = decodeRecordPayload(bytes) as Partial<WireSteps & WirePark> | null;
  if (wire?.v === recordFormat && wire.h !== undefined) {
    return { kind: "park", park: parkRecordOf(wire as WirePark) };
  }
  if (wire?.q === undefined || "n" in wire) return { kind: "turn", turn: decodeRecord(bytes) };
  if (wire.v !== recordFormat || wire.i === undefined) {
    throw new UndecodablePayloadError(
      `A step record has format ${String(wire.v)}, this version reads ${recordFormat}: update Troupe.`,
      { details: { format: wire.v } },
    );
  }
  const steps = wire.q.map(fromWireStep);
  const { b: begun, i: inputPosition, w: worker = "", x: ended } = wire;
  return { kind: "steps", steps: { inputPosition, steps, worker, begun, ended } };
}

interface WireSteps {
  readonly v: number;
  readonly q: readonly WireStep[];
  readonly i: Position;
  readonly w: string;
  b?: string;
  x?: string;
}
