/** Details of a turn's record besides its outcome, a line each, for a look at one agent. */
import type {
  EarlierRun,
  JournaledTurn,
  RecordedStep,
  RecordedTimer,
  SentMessage,
} from "@troupe/core/operate";
import { toJson } from "./terminal/json.ts";
import { duration, timeOfDay } from "./terminal/quantities.ts";

/** In the order in which they happened. */
export function turnDetails({ record, revision, steps }: JournaledTurn): readonly string[] {
  const { batch, changed, earlierRuns = [], sent, timers = [] } = record;
  return [
    timesLine(record),
    ...(batch === undefined ? [] : [`batch: message ${batch.index + 1} of ${batch.size}`]),
    ...earlierRuns.map(runLine),
    ...steps.map(stepLine),
    ...sent.map((each, index) => sentLine(each, revision + 1 + index)),
    ...timers.map(timerLine),
    ...(changed === undefined ? [] : [`changed by interceptors: ${changedNames(changed)}`]),
    `trace ${record.traceparent}${record.link === undefined ? "" : `, continues ${record.link}`}`,
    `code ${record.version} at ${record.worker}, log ${record.log}`,
  ];
}

type TurnRecord = JournaledTurn["record"];

/**
 * Waiting times, durations and tries: `accepted 16:04:05.123 · waited 12 ms · took 3 ms`.
 */
function timesLine(record: TurnRecord): string {
  const { acceptedAtMs, activatedAtMs, attempts, firstStartedAtMs, receivedAtMs } = record;
  const { startedAtMs, tookMs } = record;
  const first = firstStartedAtMs ?? startedAtMs;
  return [
    `accepted ${timeOfDay(acceptedAtMs)}`,
    // By two clocks, which may differ.
    `received after ${duration(Math.max(0, receivedAtMs - acceptedAtMs))}`,
    ...(activatedAtMs === undefined
      ? []
      : [`journal read after ${duration(Math.max(0, activatedAtMs - receivedAtMs))}`]),
    `started after ${duration(Math.max(0, first - receivedAtMs))}`,
    ...(attempts > 1 ? [`run ${attempts} after ${duration(startedAtMs - first)}`] : []),
    `took ${duration(tookMs)}`,
  ].join(" · ");
}

function runLine({ code, delayMs, message, run, startedAtMs, tookMs, worker }: EarlierRun): string {
  const pause = delayMs === 0 ? "" : `, again after ${duration(delayMs)}`;
  return `run ${run} failed at ${timeOfDay(startedAtMs)} after ${duration(tookMs)}${pause}, ${worker}: ${code}: ${message}`;
}

function stepLine(step: RecordedStep): string {
  const { askedAt, digest, name, run, startMs, tookMs, use, value, waitedMs } = step;
  const which = `${name}${digest === undefined ? "" : ` ${digest}`}${use === 1 ? "" : ` #${use}`}`;
  return [
    `step ${which} ${toJson(value)}`,
    `from ${duration(startMs)}${run === 1 ? "" : ` in run ${run}`}, took ${duration(tookMs)}`,
    ...(waitedMs === undefined ? [] : [`waited ${duration(waitedMs)} for limits`]),
    ...(askedAt === undefined ? [] : [`its message is at ${askedAt}`]),
  ].join(" · ");
}

function sentLine({ digest, id, message, to }: SentMessage, position: number): string {
  const what = message === undefined ? "" : ` ${message}`;
  return `sent ${to}${what} · at ${position} · ${id} · ${digest}`;
}

function timerLine({ atMs, everyMs, id, sends }: RecordedTimer): string {
  const what = sends === undefined ? "" : ` for ${sends.to} ${sends.message ?? ""}`.trimEnd();
  if (everyMs !== undefined) return `timer ${id} every ${duration(everyMs)}${what}`;
  if (atMs !== undefined) return `timer ${id} at ${new Date(atMs).toISOString()}${what}`;
  return `timer ${id} cancelled`;
}

/** `payload (receive), events (commit)`. */
function changedNames({ commit = [], receive = [] }: NonNullable<TurnRecord["changed"]>): string {
  return [
    ...receive.map((name) => `${name} (receive)`),
    ...commit.map((name) => `${name} (commit)`),
  ].join(", ");
}
