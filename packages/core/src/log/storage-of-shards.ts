/** Report of the entries that all shards of a log keep together. */
import type { StorageReport, StoredPart } from "./storage-report.ts";

/** The entries that are the namespace's own are the first shard's. */
export function storageOfShards(reports: readonly StorageReport[]): StorageReport {
  const parts = new Map<string, StoredPart>();
  for (const part of reports.flatMap((report) => report.parts)) {
    const name = `${part.kind} ${part.name}`;
    const known = parts.get(name);
    parts.set(name, known === undefined ? part : sumOf(known, part));
  }
  const [first] = reports;
  return {
    messages: total(reports.map(({ messages }) => messages)),
    bytes: total(reports.map(({ bytes }) => bytes)),
    parts: [...parts.values()].toSorted((a, b) => b.bytes - a.bytes),
    oldestMs: oldest(reports.map(({ oldestMs }) => oldestMs)),
    bytesPerDay: total(reports.map(({ bytesPerDay }) => bytesPerDay)),
    limit: first?.limit,
  };
}

function sumOf(a: StoredPart, b: StoredPart): StoredPart {
  const { kind, name } = a;
  const oldestMs = oldest([a.oldestMs, b.oldestMs]);
  return { kind, name, messages: a.messages + b.messages, bytes: a.bytes + b.bytes, oldestMs };
}

function total(numbers: readonly number[]): number {
  return numbers.reduce((sum, number) => sum + number, 0);
}

function oldest(times: readonly (number | undefined)[]): number | undefined {
  const known = times.filter((time) => time !== undefined);
  return known.length === 0 ? undefined : Math.min(...known);
}
