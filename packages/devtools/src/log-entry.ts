/** An entry of the log, as a line to read and as data. */
import { agentName } from "@troupe/core/log";
import { decodeJournalRecord } from "@troupe/core/operate";
import type { AgentId, Input, JournalEntry, LogEntry } from "@troupe/core/log";
import type { BaseRecord, JournaledTurn, JournalRecord, ParkRecord } from "@troupe/core/operate";
import { deadPayloadValue, payloadValue } from "./payload-value.ts";
import type { Entry } from "./terminal/entry-line.ts";
import { toJson } from "./terminal/json.ts";
import { failureSummary, turnSummary } from "./turn-summary.ts";

/** The entry for one line. */
export function readableEntry(entry: LogEntry): Entry {
  if (entry.kind === "input") return readableInput(entry.input);
  if (entry.kind === "turn") return readableJournalEntry(entry);
  return readableDeadLetter(entry);
}

/** The entry as plain data, for JSON. */
export function entryData(entry: LogEntry): Readonly<Record<string, unknown>> {
  if (entry.kind === "input") return inputData(entry.input);
  if (entry.kind === "turn") return journalEntryData(entry);
  return deadLetterData(entry);
}

/** A turn as plain data. */
export function turnData(
  agent: AgentId,
  turn: Omit<JournaledTurn, "steps">,
): Readonly<Record<string, unknown>> {
  const { inputPosition, acceptedAtMs, receivedAtMs, startedAtMs, ...others } = turn.record;
  const { activatedAtMs, firstStartedAtMs, ...record } = others;
  return {
    kind: "turn",
    position: turn.revision,
    at: new Date(turn.committedAtMs).toISOString(),
    agent: agentName(agent),
    ...record,
    inputPosition,
    acceptedAt: timeText(acceptedAtMs),
    receivedAt: timeText(receivedAtMs),
    activatedAt: timeText(activatedAtMs),
    firstStartedAt: timeText(firstStartedAtMs),
    startedAt: timeText(startedAtMs),
  };
}

function timeText(atMs: number | undefined): string | undefined {
  return atMs === undefined ? undefined : new Date(atMs).toISOString();
}

/** A turn for one line; `address` says what to show in the address column. */
export function readableTurn(
  agent: AgentId,
  { revision, committedAtMs, record }: Omit<JournaledTurn, "steps">,
): Entry {
  return {
    kind: record.failure === undefined ? "turn" : "failed",
    atMs: committedAtMs,
    position: revision,
    address: agentName(agent),
    summary: turnSummary(record),
  };
}

type TurnEntry = LogEntry & { readonly kind: "turn" };
type DeadLetterEntry = LogEntry & { readonly kind: "dead-letter" };

function readableJournalEntry({ agent, entry }: TurnEntry): Entry {
  const record = journaled(entry);
  const { committedAtMs: atMs, revision: position } = entry;
  const line = { atMs, position, address: agentName(agent) };
  if (record instanceof Error) return { ...line, kind: "failed", summary: record.message };
  if (record.kind === "turn") return readableTurn(agent, { ...entry, record: record.turn });
  if (record.kind === "park") return { ...line, ...parkLine(record.park) };
  if (record.kind === "base") return { ...line, kind: "turn", summary: baseLine(record.base) };
  if (record.kind === "tombstone") {
    const { by, reason } = record.tombstone;
    const why = reason === undefined ? "" : ` · ${reason}`;
    return { ...line, kind: "turn", summary: `erased by ${by}${why}` };
  }
  const steps = record.steps.steps.map(({ name, value }) => `${name} ${toJson(value)}`);
  const summary = steps.length === 0 ? "about to take steps" : steps.join(" · ");
  return { ...line, kind: "steps", summary };
}

function journalEntryData({ agent, entry }: TurnEntry): Readonly<Record<string, unknown>> {
  const record = journaled(entry);
  const at = new Date(entry.committedAtMs).toISOString();
  const place = { position: entry.revision, at, agent: agentName(agent) };
  if (record instanceof Error) return { kind: "turn", ...place, unreadable: record.message };
  if (record.kind === "turn") return turnData(agent, { ...entry, record: record.turn });
  if (record.kind === "park") return { kind: "park", ...place, ...record.park };
  if (record.kind === "base") return { kind: "base", ...place, ...record.base };
  if (record.kind === "tombstone") return { kind: "erased", ...place, ...record.tombstone };
  return { kind: "steps", ...place, ...record.steps };
}

function baseLine({ ended, from, turns }: BaseRecord): string {
  if (from !== undefined) return `forked from ${agentName(from.agent)} after turn ${from.turn}`;
  const after = ` after turn ${turns}`;
  return ended === undefined ? `base record${after}` : `ended${after}`;
}

function parkLine({ failure, inputPosition, parked }: ParkRecord): Pick<Entry, "kind" | "summary"> {
  if (!parked) return { kind: "turn", summary: "resumed" };
  const why = failure === undefined ? "" : ` · ${failureSummary(failure)}`;
  return { kind: "failed", summary: `parked at ${inputPosition}${why}` };
}

/** The record, or why it cannot be read: one bad record must not end the view of all others. */
function journaled({ record }: JournalEntry): JournalRecord | Error {
  try {
    return decodeJournalRecord(record);
  } catch (error) {
    return error instanceof Error ? error : new Error(String(error));
  }
}

function readableInput(input: Input): Entry {
  const { address, metadata, position, acceptedAtMs } = input;
  const payload = toJson(payloadValue(input));
  return {
    kind: address.kind === "topic" ? "topic" : "message",
    atMs: acceptedAtMs,
    position,
    address: `${address.name}/${address.key}`,
    summary: metadata.message === undefined ? payload : `${metadata.message} ${payload}`,
  };
}

function inputData(input: Input): Readonly<Record<string, unknown>> {
  const { address, metadata, position, acceptedAtMs } = input;
  return {
    kind: address.kind === "topic" ? "topic" : "message",
    position,
    at: new Date(acceptedAtMs).toISOString(),
    ...(address.kind === "topic"
      ? { topic: address.name, source: address.key }
      : { agent: agentName({ type: address.name, key: address.key }) }),
    message: metadata.message,
    id: metadata.id,
    sender: metadata.sender,
    traceparent: metadata.traceparent,
    payload: payloadValue(input),
  };
}

function readableDeadLetter({ deadLetter, position, storedAtMs }: DeadLetterEntry): Entry {
  const { agent, failure, inputPosition, origin } = deadLetter;
  return {
    kind: "dead",
    atMs: storedAtMs,
    position,
    address: agent === undefined ? origin : agentName(agent),
    summary: `input ${inputPosition} · ${failureSummary(failure)}`,
  };
}

function deadLetterData(entry: DeadLetterEntry): Readonly<Record<string, unknown>> {
  const { deadLetter, position, storedAtMs } = entry;
  const { agent, payload: _, ...letter } = deadLetter;
  return {
    kind: "dead-letter",
    position,
    at: new Date(storedAtMs).toISOString(),
    agent: agent && agentName(agent),
    ...letter,
    payload: deadPayloadValue(deadLetter),
  };
}
