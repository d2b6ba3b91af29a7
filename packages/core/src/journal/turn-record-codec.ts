/**
 * Turn records as bytes: a MessagePack map with short keys. The table in DESIGN.md is the format; a
 * field that says what is usual is left out.
 */
import type { ErrorData } from "../errors/troupe-error.ts";
import type { Position } from "../definition/message/input.ts";
import { encodeRecordPayload } from "../wire/payload.ts";
import type { WireAnswering } from "./answering.ts";
import { answeringOf, wireAnswering } from "./answering.ts";
import type { WireRun } from "./earlier-run.ts";
import { fromWireRun, toWireRun } from "./earlier-run.ts";
import type { InterceptorChanges } from "./interceptor-changes.ts";
import { requireFields } from "./record-fields.ts";
import type { WireTrace } from "./record-trace.ts";
import { fromWireTrace, toWireTrace } from "./record-trace.ts";
import type { WireStep } from "./recorded-step.ts";
import { fromWireStep, toWireStep } from "./recorded-step.ts";
import type { WireSent, WireTimer } from "./sent-message.ts";
import { fromWireSent, fromWireTimer, toWireSent, toWireTimer } from "./sent-message.ts";
import type { RecordedBatch, TurnRecord } from "./turn-record.ts";
import type { RecordedEvent } from "../definition/recorded-event.ts";

/** Grows only when an old reader could misunderstand a new record. */
export const recordFormat = 1;

export function encodeRecord(record: TurnRecord): Uint8Array {
  const { events, inputPosition, sent } = record;
  const wire: WireRecord = {
    v: recordFormat,
    n: record.turn,
    l: record.log,
    i: inputPosition,
    m: record.message,
    t: toWireTrace({ traceparent: record.traceparent, parent: record.parentSpan }),
    w: record.worker,
    c: record.version,
    at: wireTimes(record),
  };
  if (record.messageId !== `@${inputPosition}`) wire.id = record.messageId;
  if (events.length > 0) wire.e = events.map(toWireEvent);
  if (record.reply !== undefined) wire.r = record.reply;
  if (record.attempts !== 1) wire.k = record.attempts;
  if (record.topic !== undefined) wire.p = record.topic;
  if (record.sender !== undefined) wire.s = record.sender;
  if (sent.length > 0) wire.o = sent.map(toWireSent);
  if (record.failure !== undefined) wire.f = record.failure;
  addRare(wire, record);
  addAbout(wire, record);
  return encodeRecordPayload(wire);
}

/** Adds the fields that most records do not have. */
function addRare(wire: WireRecord, record: TurnRecord): void {
  const { answering, batch, steps, timers, unusedSteps } = record;
  if (batch !== undefined) wire.b = wireBatch(batch);
  if (timers !== undefined && timers.length > 0) wire.a = timers.map(toWireTimer);
  if (answering !== undefined) wire.d = wireAnswering(answering);
  if (steps !== undefined && steps.length > 0) wire.q = steps.map(toWireStep);
  if (unusedSteps !== undefined && unusedSteps.length > 0) {
    wire.u = unusedSteps.map(({ name, digest = null, use }) => [name, digest, use]);
  }
}

/** Adds how the turn came to be, where that was unusual. */
function addAbout(wire: WireRecord, record: TurnRecord): void {
  const { earlierRuns } = record;
  if (earlierRuns !== undefined && earlierRuns.length > 0) wire.g = earlierRuns.map(toWireRun);
  if (record.changed !== undefined) wire.x = record.changed;
  if (record.digestKey !== undefined) wire.dk = record.digestKey;
  if (record.messageVersion !== undefined) wire.mv = record.messageVersion;
  if (record.stateVersion !== undefined) wire.sv = record.stateVersion;
  if (record.tracestate !== undefined) wire.ts = record.tracestate;
  if (record.link !== undefined) wire.tl = record.link;
}

/**
 * The record of a map that is known to be one of this format (journal-record.ts). @throws
 * UndecodablePayloadError
 */
export function turnRecordOf(wire: WireRecord): TurnRecord {
  requireFields("turn", wire, required);
  const { b: batch, i: inputPosition, t: trace } = wire;
  const { parent, traceparent } = fromWireTrace(trace);
  return {
    turn: wire.n,
    log: wire.l,
    inputPosition,
    messageId: wire.id ?? `@${inputPosition}`,
    message: wire.m,
    messageVersion: wire.mv,
    topic: wire.p,
    sender: wire.s,
    batch: batch === undefined ? undefined : batchOf(batch),
    events: wire.e?.map(fromWireEvent) ?? [],
    stateVersion: wire.sv,
    steps: wire.q?.map(fromWireStep),
    unusedSteps: wire.u?.map(([name, digest, use]) => ({ name, digest: digest ?? undefined, use })),
    sent: wire.o?.map(fromWireSent) ?? [],
    timers: wire.a?.map(fromWireTimer),
    digestKey: wire.dk,
    reply: wire.r,
    failure: wire.f,
    answering: wire.d === undefined ? undefined : answeringOf(wire.d),
    changed: wire.x,
    attempts: wire.k ?? 1,
    earlierRuns: wire.g?.map(fromWireRun),
    traceparent,
    parentSpan: parent,
    tracestate: wire.ts,
    link: wire.tl,
    worker: wire.w,
    version: wire.c,
    ...timesOf(wire.at),
  };
}

const required = Object.freeze({
  n: "number",
  i: "number",
  l: "string",
  m: "string",
  w: "string",
  c: "string",
} as const);

type RecordedTimes = Pick<
  TurnRecord,
  "acceptedAtMs" | "activatedAtMs" | "firstStartedAtMs" | "receivedAtMs" | "startedAtMs" | "tookMs"
>;

/**
 * Accepted; from there to received, from there to the start; took in microseconds; from received to
 * the first start, and to the activation. A part that is left out is as usual: one start, no
 * activation.
 */
type WireTimes = readonly [number, number, number, number, (number | null)?, number?];

function wireTimes(times: RecordedTimes): WireTimes {
  const { acceptedAtMs, activatedAtMs, firstStartedAtMs, receivedAtMs, startedAtMs } = times;
  const received = receivedAtMs - acceptedAtMs;
  const start = startedAtMs - receivedAtMs;
  const tookUs = Math.round(times.tookMs * 1000);
  const first = firstStartedAtMs === undefined ? null : firstStartedAtMs - receivedAtMs;
  if (activatedAtMs !== undefined) {
    return [acceptedAtMs, received, start, tookUs, first, activatedAtMs - receivedAtMs];
  }
  return first === null
    ? [acceptedAtMs, received, start, tookUs]
    : [acceptedAtMs, received, start, tookUs, first];
}

function timesOf([
  acceptedAtMs,
  received,
  start,
  tookUs,
  first,
  activated,
]: WireTimes): RecordedTimes {
  const receivedAtMs = acceptedAtMs + received;
  return {
    acceptedAtMs,
    receivedAtMs,
    activatedAtMs: activated === undefined ? undefined : receivedAtMs + activated,
    firstStartedAtMs: first === undefined || first === null ? undefined : receivedAtMs + first,
    startedAtMs: receivedAtMs + start,
    tookMs: tookUs / 1000,
  };
}

/** Type, data, version when it is above 1. */
type WireEvent = readonly [string, unknown, number?];

function toWireEvent({ type, data, version = 1 }: RecordedEvent): WireEvent {
  return version === 1 ? [type, data] : [type, data, version];
}

function fromWireEvent([type, data, version]: WireEvent): RecordedEvent {
  return version === undefined ? { type, data } : { type, data, version };
}

/** Traceparent, index, size, milliseconds from the turn's start to the call. */
type WireBatch = readonly [string, number, number, number];

function wireBatch({ index, size, startMs, traceparent }: RecordedBatch): WireBatch {
  return [traceparent, index, size, startMs];
}

function batchOf([traceparent, index, size, startMs]: WireBatch): RecordedBatch {
  return { traceparent, index, size, startMs };
}

export interface WireRecord {
  v: number;
  n: number;
  l: string;
  i: Position;
  id?: string;
  m: string;
  mv?: number;
  p?: string;
  s?: string;
  b?: WireBatch;
  e?: WireEvent[];
  sv?: number;
  o?: WireSent[];
  a?: WireTimer[];
  dk?: string;
  r?: unknown;
  f?: ErrorData;
  d?: WireAnswering;
  x?: InterceptorChanges;
  q?: WireStep[];
  u?: (readonly [string, string | null, number])[];
  k?: number;
  g?: WireRun[];
  t: WireTrace;
  ts?: string;
  tl?: string;
  w: string;
  c: string;
  at: WireTimes;
}
