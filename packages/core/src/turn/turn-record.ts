/**
 * The turn record: the one thing the journal stores, one per turn, on the agent's own subject.
 * State, audit, replay, traces and metrics are all derived from it.
 *
 * On the wire it is a MessagePack map with short keys; the table in `encodeRecord` is the format.
 * `format` grows only when an old reader could misunderstand a new record.
 */
import { UndecodablePayloadError } from "../errors/message-errors.ts";
import type { ErrorData } from "../errors/troupe-error.ts";
import type { Position } from "../log/input.ts";
import type { TimerChange } from "../log/timer.ts";
import type { Answering, WireAnswering } from "./answering.ts";
import { answeringOf, wireAnswering } from "./answering.ts";
import type { RecordedStep, StepIdentity, WireStep } from "./recorded-step.ts";
import { fromWireStep, toWireStep } from "./recorded-step.ts";
import { decodeRecordPayload, encodeRecordPayload } from "../wire/payload.ts";

export const recordFormat = 1;

export interface RecordedEvent {
  readonly type: string;
  readonly data: unknown;
  /** Version of the data's shape, as it was declared then; absent means 1. */
  readonly version?: number | undefined;
}

/** A change of a timer: `atMs` or `everyMs` when it was set, neither when it was cancelled. */
export interface RecordedTimer {
  readonly id: string;
  readonly atMs?: number | undefined;
  readonly everyMs?: number | undefined;
}

export interface TurnRecord {
  /** 1 for the agent's first turn; grows by one. */
  readonly turn: number;
  /**
   * Position of the handled input: grows from turn to turn (I2), which is how a duplicate is
   * recognised (I4).
   */
  readonly inputPosition: Position;
  readonly messageId: string;
  /** Message or topic name. */
  readonly message: string;
  readonly topic?: string | undefined;
  readonly sender?: string | undefined;
  /** W3C traceparent of the batch handler's call, which it shares with other turns. */
  readonly batch?: string | undefined;
  readonly events: readonly RecordedEvent[];
  /** Steps that were not recorded before the turn was; absent when there are none. */
  readonly steps?: readonly RecordedStep[] | undefined;
  /**
   * Steps that earlier runs recorded and the one that committed did not take; absent when there are
   * none. The handler went another way, or its inputs depend on chance.
   */
  readonly unusedSteps?: readonly StepIdentity[] | undefined;
  /** Ids of the messages and publications that were committed with the turn. */
  readonly outgoingIds: readonly string[];
  /** Timers that were set and cancelled with the turn; absent when there are none. */
  readonly timers?: readonly RecordedTimer[] | undefined;
  /** What the handler returned; absent when the turn failed. */
  readonly reply?: unknown;
  readonly failure?: ErrorData | undefined;
  /** Set when its reply comes later, or when it answers earlier asks. */
  readonly answering?: Answering | undefined;
  /** Handler runs it took; 0 when the message never reached the handler. */
  readonly attempts: number;
  /** This turn's span, below the input's. */
  readonly traceparent: string;
  readonly worker: string;
  /** Code version of the worker. */
  readonly version: string;
  /**
   * When the log accepted the input, and when the handler started, in milliseconds since the epoch.
   */
  readonly acceptedAtMs: number;
  readonly startedAtMs: number;
  readonly tookMs: number;
}

export function encodeRecord(record: TurnRecord): Uint8Array {
  const wire: WireRecord = {
    v: recordFormat,
    n: record.turn,
    i: record.inputPosition,
    id: record.messageId,
    m: record.message,
    e: record.events.map(toWireEvent),
    r: record.reply,
    k: record.attempts,
    t: record.traceparent,
    w: record.worker,
    c: record.version,
    at: [record.acceptedAtMs, record.startedAtMs, record.tookMs],
  };
  if (record.topic !== undefined) wire.p = record.topic;
  if (record.sender !== undefined) wire.s = record.sender;
  if (record.batch !== undefined) wire.b = record.batch;
  if (record.outgoingIds.length > 0) wire.o = record.outgoingIds;
  if (record.timers !== undefined && record.timers.length > 0) {
    wire.a = record.timers.map(({ id, atMs = 0, everyMs = 0 }) => [id, atMs, everyMs]);
  }
  if (record.failure !== undefined) wire.f = record.failure;
  if (record.answering !== undefined) wire.l = wireAnswering(record.answering);
  if (record.steps !== undefined && record.steps.length > 0) {
    wire.q = record.steps.map(toWireStep);
  }
  if (record.unusedSteps !== undefined && record.unusedSteps.length > 0) {
    wire.u = record.unusedSteps.map(({ name, digest = null, use }) => [name, digest, use]);
  }
  return encodeRecordPayload(wire);
}

/** @throws UndecodablePayloadError when the bytes are no turn record or a newer format */
export function decodeRecord(bytes: Uint8Array): TurnRecord {
  const wire = decodeRecordPayload(bytes) as WireRecord;
  if (wire?.v !== recordFormat) {
    throw new UndecodablePayloadError(
      `A turn record has format ${String(wire?.v)}, this version reads ${recordFormat}: update Troupe.`,
      { details: { format: wire?.v } },
    );
  }
  const [acceptedAtMs, startedAtMs, tookMs] = wire.at;
  return {
    turn: wire.n,
    inputPosition: wire.i,
    messageId: wire.id,
    message: wire.m,
    topic: wire.p,
    sender: wire.s,
    batch: wire.b,
    events: wire.e.map(fromWireEvent),
    steps: wire.q?.map(fromWireStep),
    unusedSteps: wire.u?.map(([name, digest, use]) => ({ name, digest: digest ?? undefined, use })),
    outgoingIds: wire.o ?? [],
    timers: wire.a?.map(([id, atMs, everyMs]) => ({
      id,
      atMs: atMs || undefined,
      everyMs: everyMs || undefined,
    })),
    reply: wire.r,
    failure: wire.f,
    answering: wire.l === undefined ? undefined : answeringOf(wire.l),
    attempts: wire.k,
    traceparent: wire.t,
    worker: wire.w,
    version: wire.c,
    acceptedAtMs,
    startedAtMs,
    tookMs,
  };
}

/** A timer's change as the record tells it. */
export function recordedTimer(change: TimerChange): RecordedTimer {
  return change.kind === "set" ? { id: change.id, ...change.time } : { id: change.id };
}

/** Type, data, version when it is above 1. */
type WireEvent = readonly [string, unknown, number?];

function toWireEvent({ type, data, version = 1 }: RecordedEvent): WireEvent {
  return version === 1 ? [type, data] : [type, data, version];
}

function fromWireEvent([type, data, version]: WireEvent): RecordedEvent {
  return version === undefined ? { type, data } : { type, data, version };
}

interface WireRecord {
  v: number;
  n: number;
  i: number;
  id: string;
  m: string;
  p?: string;
  s?: string;
  b?: string;
  e: WireEvent[];
  o?: readonly string[];
  a?: (readonly [string, number, number])[];
  r: unknown;
  f?: ErrorData;
  l?: WireAnswering;
  q?: WireStep[];
  u?: (readonly [string, string | null, number])[];
  k: number;
  t: string;
  w: string;
  c: string;
  at: [number, number, number];
}
