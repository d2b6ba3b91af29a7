/**
 * Record of a limit, which all workers share: small, in a cell of the log. It is JSON, so that
 * people can read who holds what.
 */
import type { Rate } from "../../definition/limit.ts";
import type { Spent } from "./rate-window.ts";

/** Permits that one worker holds and wants. */
export interface Lease {
  /** Permits it may use without asking. */
  readonly permits: number;
  /** Permits it would like to have beyond these, roughly. */
  readonly waiting: number;
  /** Cost that waits for the rate, roughly. */
  readonly cost: number;
  /** Cost of the first one that waits. */
  readonly head: number;
  /** Place in the line: the lowest ticket came first. */
  readonly ticket: number;
  /** Grows with every write of this worker: while it does, the worker is alive. */
  readonly beat: number;
  /** The limit as this worker's code declares it. The strictest of all counts. */
  readonly concurrency?: number | undefined;
  readonly rate?: Rate | undefined;
}

export interface LimitRecord {
  /** The last ticket that was drawn. */
  readonly ticket: number;
  /** Amount of the rate that this very write reserved; its time is the write's. */
  readonly fresh: number;
  /** Amounts that were reserved before. */
  readonly spent: readonly Spent[];
  /** Leases by lessee: a worker, and a text that tells its lives apart. */
  readonly leases: Readonly<Record<string, Lease>>;
}

export const emptyRecord: LimitRecord = Object.freeze({
  ticket: 0,
  fresh: 0,
  spent: [],
  leases: {},
});

/** The cell of a limit. */
export function limitCell(name: string): string {
  return `limit/${name}`;
}

export function encodeLimitRecord(record: LimitRecord): Uint8Array {
  return new TextEncoder().encode(JSON.stringify(record));
}

/**
 * Decodes the record; an unreadable one counts as empty, because somebody else wrote into the cell.
 */
export function decodeLimitRecord(value: Uint8Array): LimitRecord {
  try {
    const record = JSON.parse(new TextDecoder().decode(value)) as Partial<LimitRecord> | null;
    return isRecord(record) ? record : emptyRecord;
  } catch {
    return emptyRecord;
  }
}

function isRecord(record: Partial<LimitRecord> | null): record is LimitRecord {
  const { fresh, leases, spent, ticket } = record ?? {};
  if (!areNumbers([ticket, fresh]) || !Array.isArray(spent)) return false;
  if (typeof leases !== "object" || leases === null) return false;
  return spent.every(isSpent) && Object.values(leases).every(isLease);
}

function isSpent(spent: unknown): spent is Spent {
  return Array.isArray(spent) && spent.length === 2 && areNumbers(spent);
}

function isLease(lease: Partial<Lease> | null): boolean {
  const { beat, cost, head, permits, ticket, waiting } = lease ?? {};
  return areNumbers([beat, cost, head, permits, ticket, waiting]);
}

/** JSON writes what is not finite as null. */
function areNumbers(values: readonly unknown[]): boolean {
  return values.every((value) => typeof value === "number" || value === null);
}
