/** Report of the entries that the memory log keeps, by kind. */
import type { LogEntry, StorageReport, StoredKind, StoredPart } from "@troupe/core/log";
import type { Server } from "./server.ts";

interface Item {
  readonly kind: StoredKind;
  readonly name: string;
  readonly bytes: number;
  readonly storedAtMs: number | undefined;
}

export function storageReport(server: Server): StorageReport {
  const { snapshots, storage } = server;
  const stored = storage.entries.filter((_, index) => !storage.isRemoved(index + 1)).map(itemOf);
  const kept = [...snapshots].map(([agent, { byteLength: bytes }]): Item => {
    return { kind: "snapshots", name: agent.split("/")[0] ?? "", bytes, storedAtMs: undefined };
  });
  const items = [...stored, ...kept];
  const groups = Map.groupBy(items, ({ kind, name }) => `${kind} ${name}`);
  const parts = [...groups.values()].map(partOf).toSorted((a, b) => b.bytes - a.bytes);
  const bytes = items.reduce((sum, item) => sum + item.bytes, 0);
  const oldestMs = stored[0]?.storedAtMs;
  const ageMs = Math.max(storage.nowMs - (oldestMs ?? storage.nowMs), 60_000);
  const isYoung = ageMs < dayMs;
  const bytesPerDay = Math.round(
    (isYoung ? bytes : bytesSince(stored, storage.nowMs - dayMs)) * (isYoung ? dayMs / ageMs : 1),
  );
  return { messages: items.length, bytes, parts, oldestMs, bytesPerDay };
}

function itemOf(entry: LogEntry): Item {
  if (entry.kind === "turn") {
    const { committedAtMs, record } = entry.entry;
    const name = entry.agent.type;
    return { kind: "journal", name, bytes: record.byteLength, storedAtMs: committedAtMs };
  }
  if (entry.kind === "dead-letter") {
    const { agent, payload } = entry.deadLetter;
    const name = agent?.type ?? "";
    return { kind: "dead-letters", name, bytes: payload.length, storedAtMs: entry.storedAtMs };
  }
  const { acceptedAtMs, address, payload } = entry.input;
  const kind = address.kind === "topic" ? "publications" : "inputs";
  return { kind, name: address.name, bytes: payload.length, storedAtMs: acceptedAtMs };
}

function partOf(items: readonly Item[]): StoredPart {
  const { kind = "other", name = "", storedAtMs } = items[0] ?? {};
  const bytes = items.reduce((sum, item) => sum + item.bytes, 0);
  return { kind, name, messages: items.length, bytes, oldestMs: storedAtMs };
}

function bytesSince(items: readonly Item[], atMs: number): number {
  return items
    .filter(({ storedAtMs = 0 }) => storedAtMs >= atMs)
    .reduce((sum, { bytes }) => sum + bytes, 0);
}

const dayMs = 86_400_000;
