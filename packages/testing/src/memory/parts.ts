/** Parts of the stored log, for counting and destroying them. */
import { agentName } from "@troupe/core/log";
import type { Holdings, LogPart, Position, LogEntry } from "@troupe/core/log";
import type { Server } from "./server.ts";

export function positionOf(entry: LogEntry): Position {
  if (entry.kind === "input") return entry.input.position;
  return entry.kind === "turn" ? entry.entry.revision : entry.position;
}

/** Whether an entry belongs to a part. */
export function isOf(part: LogPart, entry: LogEntry): boolean {
  if (part.kind === "publications") {
    const address = entry.kind === "input" ? entry.input.address : undefined;
    return address?.kind === "topic" && address.name === part.topic && address.key === part.source;
  }
  const name = agentName(part.agent);
  if (part.kind === "journal") return entry.kind === "turn" && agentName(entry.agent) === name;
  if (part.kind === "dead-letters") {
    const agent = entry.kind === "dead-letter" ? entry.deadLetter.agent : undefined;
    return agent !== undefined && agentName(agent) === name;
  }
  if (part.kind !== "inputs" || entry.kind !== "input") return false;
  const { kind, name: type, key } = entry.input.address;
  return kind === "agent" && agentName({ type, key }) === name;
}

/** The rest that stays at the place of an entry: nothing that it said. */
export function emptied(entry: LogEntry): LogEntry {
  if (entry.kind === "turn") return { ...entry, entry: { ...entry.entry, record: nothing } };
  if (entry.kind === "input") {
    return { ...entry, input: { ...entry.input, metadata: {}, payload: nothing } };
  }
  const { deadLetter } = entry;
  const failure = { code: "agent-erased", message: "", retryable: false };
  return { ...entry, deadLetter: { ...deadLetter, failure, origin: "", payload: nothing } };
}

const nothing = new Uint8Array();

export function holdingsOf(server: Server, part: LogPart, upTo: Position): Holdings {
  const { snapshots, storage } = server;
  if (part.kind === "timers") return { count: storage.timersOf(part.agent, upTo), bytes: 0 };
  if (part.kind === "snapshot") {
    const bytes = snapshots.get(agentName(part.agent))?.length;
    return bytes === undefined ? { count: 0, bytes: 0 } : { count: 1, bytes };
  }
  const found = storage.partOf(part, upTo);
  return { count: found.length, bytes: found.reduce((sum, entry) => sum + bytesOf(entry), 0) };
}

export function destroy(server: Server, part: LogPart, upTo: Position): number {
  if (part.kind !== "snapshot") return server.storage.destroy(part, upTo);
  return server.snapshots.delete(agentName(part.agent)) ? 1 : 0;
}

function bytesOf(entry: LogEntry): number {
  if (entry.kind === "turn") return entry.entry.record.length;
  return entry.kind === "input" ? entry.input.payload.length : entry.deadLetter.payload.length;
}
