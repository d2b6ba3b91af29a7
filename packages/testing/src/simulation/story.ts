/** A run told for people: stored entries and faults, in the order of virtual time. */
import type { ErrorData, LogEntry } from "@troupe/core/log";
import { agentName } from "@troupe/core/log";
import { decodeJournalRecord } from "@troupe/core/operate";
import type { JournalRecord } from "@troupe/core/operate";
import { epochMs } from "./agenda.ts";
import type { SimulationRun } from "./simulate.ts";

/** Lines of a story; more are left out in the middle. */
const linesMax = 120;

export function storyOf(run: SimulationRun): string[] {
  const stored = run.history.entries.map((entry, index) => storedLine(entry, index + 1));
  const lines = [...run.events, ...timed(stored)]
    .toSorted((a, b) => a.atMs - b.atMs)
    .map(({ atMs, what }) => `${atMs.toFixed(0).padStart(8)} ms  ${what}`);
  if (lines.length <= linesMax) return lines;
  const half = linesMax / 2;
  const left = lines.length - linesMax;
  return [...lines.slice(0, half), `     ... ${left} more lines ...`, ...lines.slice(-half)];
}

interface Line {
  /** Absent when the entry does not say; then it belongs to the one before. */
  readonly atMs: number | undefined;
  readonly what: string;
}

function timed(lines: readonly Line[]): { readonly atMs: number; readonly what: string }[] {
  let lastMs = 0;
  return lines.map(({ atMs, what }) => {
    lastMs = atMs ?? lastMs;
    return { atMs: lastMs, what };
  });
}

function storedLine(entry: LogEntry, position: number): Line {
  if (entry.kind === "input") {
    const { acceptedAtMs, address, metadata } = entry.input;
    const to = `${address.kind}/${address.name}/${address.key}`;
    const what = `${position}: ${metadata.message ?? "message"} for ${to}${by(metadata.sender)}`;
    return { atMs: acceptedAtMs - epochMs, what };
  }
  if (entry.kind === "dead-letter") {
    const { failure, inputPosition } = entry.deadLetter;
    return {
      atMs: undefined,
      what: `${position}: dead letter for ${inputPosition}${why(failure)}`,
    };
  }
  const atMs = entry.entry.committedAtMs - epochMs;
  const name = agentName(entry.agent);
  const { record } = entry.entry;
  const isErased = record.byteLength === 0;
  const what = isErased
    ? `a record of ${name} that was erased`
    : recordLine(name, decodeJournalRecord(record));
  return { atMs, what: `${position}: ${what}` };
}

function recordLine(name: string, record: JournalRecord): string {
  if (record.kind === "steps") {
    const { inputPosition, steps, worker } = record.steps;
    const names = steps.map((step) => step.name).join(", ");
    return `steps of ${name} on ${inputPosition}${by(worker)}: ${names}`;
  }
  if (record.kind === "park") {
    const { inputPosition, parked, worker } = record.park;
    return `${parked ? "parking" : "resuming"} of ${name} on ${inputPosition}${by(worker)}`;
  }
  if (record.kind === "tombstone") return `erasure of ${name}`;
  if (record.kind === "base") {
    const { ended, turns, worker } = record.base;
    return `${ended === undefined ? "base" : "end"} of ${name} after turn ${turns}${by(worker)}`;
  }
  const { events, failure, inputPosition, sent, turn, worker } = record.turn;
  const parts = [
    ...events.map(({ type }) => type),
    ...(sent.length > 0 ? [`sends ${sent.length}`] : []),
  ];
  const result = parts.length > 0 ? `: ${parts.join(", ")}` : "";
  return `turn ${turn} of ${name} on ${inputPosition}${by(worker)}${result}${why(failure)}`;
}

function by(name: string | undefined): string {
  return name === undefined ? "" : ` by ${name}`;
}

function why(failure: ErrorData | undefined): string {
  return failure === undefined ? "" : `: ${failure.code}`;
}
