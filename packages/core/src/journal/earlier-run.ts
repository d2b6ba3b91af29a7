/** Runs of a turn that failed before the one that was committed: the last eight of them. */
import type { ErrorData } from "../errors/troupe-error.ts";

export interface EarlierRun {
  /** Number of the run, from 1. A worker counts its own, so a number may be there twice. */
  readonly run: number;
  /** Code of its failure; `process-died` when its process ended. */
  readonly code: string;
  /** The first characters of its failure's message. */
  readonly message: string;
  /** Time of its start by the clock of its worker, in milliseconds since the epoch. */
  readonly startedAtMs: number;
  /** 0 when nobody knows. */
  readonly tookMs: number;
  /** The pause after it, in milliseconds. */
  readonly delayMs: number;
  readonly worker: string;
}

/** Number of runs that a record tells. */
const earlierRunsMax = 8;
const messageCharactersMax = 160;

/** The runs with one more, each only once: the last eight. */
export function withRuns(
  known: readonly EarlierRun[],
  more: readonly EarlierRun[],
): readonly EarlierRun[] {
  if (more.length === 0) return known;
  const isNew = (run: EarlierRun): boolean => !known.some((each) => isSame(each, run));
  return [...known, ...more.filter(isNew)].slice(-earlierRunsMax);
}

export function shortMessage({ message }: Pick<ErrorData, "message">): string {
  if (message.length <= messageCharactersMax) return message;
  return `${message.slice(0, messageCharactersMax - 1)}…`.toWellFormed();
}

function isSame(one: EarlierRun, other: EarlierRun): boolean {
  const { run, startedAtMs, worker } = one;
  return run === other.run && startedAtMs === other.startedAtMs && worker === other.worker;
}

/** Run, code, message, start, microseconds, delay, worker. */
export type WireRun = readonly [number, string, string, number, number, number, string];

export function toWireRun(earlier: EarlierRun): WireRun {
  const { code, delayMs, message, run, startedAtMs, tookMs, worker } = earlier;
  return [run, code, message, startedAtMs, Math.round(tookMs * 1000), delayMs, worker];
}

export function fromWireRun(wire: WireRun): EarlierRun {
  const [run, code, message, startedAtMs, tookUs, delayMs, worker] = wire;
  return { run, code, message, startedAtMs, tookMs: tookUs / 1000, delayMs, worker };
}
