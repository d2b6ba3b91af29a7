/**
 * Step records: results of effects, stored in the journal while their turn is still running (I6).
 *
 * They stand between turn records on the same subject and under the same expected revisions, so a
 * worker that no longer owns the agent cannot record a step. A turn may leave several; they belong
 * to the turn by its input's position.
 */
import type { Position } from "../definition/message/input.ts";
import { encodeRecordPayload } from "../wire/payload.ts";
import type { EarlierRun, WireRun } from "./earlier-run.ts";
import { fromWireRun, toWireRun } from "./earlier-run.ts";
import { requireFields } from "./record-fields.ts";
import type { RecordedStep, WireStep } from "./recorded-step.ts";
import { fromWireStep, toWireStep } from "./recorded-step.ts";
import { recordFormat } from "./turn-record-codec.ts";

/** Steps of a turn; without any it says only that this worker had the agent then (STEP-6). */
export interface StepRecord {
  /** The id of the log that has the input, as in `TurnRecord`. */
  readonly log: string;
  /** The input whose turn took these steps. */
  readonly inputPosition: Position;
  readonly steps: readonly RecordedStep[];
  readonly worker: string;
  /** Key that made the digests of the steps; absent when there are none. */
  readonly digestKey?: string | undefined;
  /**
   * Time at which the run that stored this began, by the worker's clock; absent outside of a run.
   */
  readonly startedAtMs?: number | undefined;
  /** Runs that failed before this one, where no earlier record says so. */
  readonly earlierRuns?: readonly EarlierRun[] | undefined;
  /**
   * Set when it says that a run begins, of a message that may end its process: the worker's
   * session, one for each start of a process (DISPATCH-1 in run-counting.ts).
   */
  readonly begun?: string | undefined;
  /** Set when it says that such a run of this session ended without its process. */
  readonly ended?: string | undefined;
}

export function encodeStepRecord(record: StepRecord): Uint8Array {
  const { earlierRuns, inputPosition, log, steps, worker } = record;
  const wire: WireSteps = {
    v: recordFormat,
    kind: "steps",
    l: log,
    i: inputPosition,
    q: steps.map(toWireStep),
    w: worker,
  };
  if (record.digestKey !== undefined) wire.dk = record.digestKey;
  if (record.startedAtMs !== undefined) wire.at = record.startedAtMs;
  if (earlierRuns !== undefined && earlierRuns.length > 0) wire.g = earlierRuns.map(toWireRun);
  if (record.begun !== undefined) wire.b = record.begun;
  if (record.ended !== undefined) wire.x = record.ended;
  return encodeRecordPayload(wire);
}

/**
 * A record that changes nothing, for what a log finds in a journal that no engine wrote. It keeps
 * its place, because the fence counts it.
 */
export function emptyRecord(): Uint8Array {
  return encodeStepRecord({ log: "", inputPosition: 0, steps: [], worker: "" });
}

/** @throws UndecodablePayloadError */
export function stepRecordOf(wire: WireSteps): StepRecord {
  requireFields("steps", wire, { i: "number", l: "string", w: "string" });
  const { at: startedAtMs, b: begun, dk: digestKey, g, x: ended } = wire;
  const { i: inputPosition, l: log, q, w: worker } = wire;
  const steps = q.map(fromWireStep);
  const earlierRuns = g?.map(fromWireRun);
  const about = { digestKey, startedAtMs, earlierRuns, begun, ended };
  return { log, inputPosition, steps, worker, ...about };
}

export interface WireSteps {
  v: number;
  kind: "steps";
  l: string;
  i: Position;
  q: WireStep[];
  w: string;
  dk?: string;
  at?: number;
  g?: WireRun[];
  b?: string;
  x?: string;
}
