/**
 * Decision of one worker about a limit's record: it takes what it needs and may have, and gives
 * back what others need more. A pure function, so that its rules can be tested alone.
 *
 *  PERMIT-1 The permits of all leases together are at most the concurrency, except those that are
 *     in use although they were given away: these are counted again, and nobody gets more until
 *     they are back.
 *  PERMIT-2 Nobody takes permits from a living worker. One that holds more than its fair share
 *     gives the surplus back as its effects end, as soon as somebody waits.
 *  PERMIT-3 Permits that cannot be shared evenly go round: the lowest ticket is first, and a worker
 *     that was served while others waited draws a new one. So none starves.
 *  PERMIT-4 A large cost is not overtaken for ever by small ones: a worker further behind leaves
 *     room for the first cost of each one before it.
 *  PERMIT-5 A worker that is silent for half a lease has no claims, and after a whole one it has no
 *           permits either.
 */
import { fairShares } from "./fair-shares.ts";
import type { Limit, Rate } from "../../definition/limit.ts";
import type { Lease, LimitRecord } from "./limit-record.ts";
import { freeOf, withoutUnused, withSpent } from "./rate-window.ts";
import type { Spent } from "./rate-window.ts";

/** The record as it was read. */
export interface KnownRecord {
  readonly record: LimitRecord;
  /** Time at which it was written, and the time now at the earliest, both by the log's clock. */
  readonly storedAtMs: number;
  readonly nowMs: number;
}

/** Work for which a worker needs its share. */
export interface Need {
  /** Effects at work. */
  readonly inUse: number;
  /** Costs of those that wait, in their order. */
  readonly costs: readonly number[];
  /** Number of them whose cost is already reserved. */
  readonly covered: number;
  /** Amount that was reserved and comes back, because it is not used. */
  readonly unused: number;
  /** Hold on to permits that nobody wants. */
  readonly keep: boolean;
  /** An effect ended while others waited: it is the others' turn (PERMIT-3). */
  readonly served: boolean;
  /** Show that it is alive, also when nothing changed. */
  readonly renew: boolean;
}

/** Time for which others have shown no sign of life. */
export interface Silence {
  isSilent(lessee: string): boolean;
  isDead(lessee: string): boolean;
}

export interface Decision {
  /** Number of effects that may be at work while others wait; Infinity when none do. */
  readonly fair: number;
  /** Record to write; undefined when there is nothing to change. */
  readonly change: Settlement | undefined;
}

export interface Settlement {
  readonly record: LimitRecord;
  /** Permits the worker holds from now on, those in use included; Infinity without such a limit. */
  readonly permits: number;
  /** Amount of the rate that it may spend, soon. */
  readonly reserved: number;
}

/** Another worker that is alive. */
export interface Rival {
  readonly name: string;
  readonly lease: Lease;
  readonly isSilent: boolean;
}

export function settle(
  limit: Limit,
  lessee: string,
  known: KnownRecord,
  need: Need,
  silence: Silence,
): Decision {
  const { record } = known;
  const mine = record.leases[lessee];
  const rivals = rivalsOf(record, lessee, silence);
  const hadTurn = mine === undefined || (need.served && isContested(rivals));
  const ticket = hadTurn ? record.ticket + 1 : mine.ticket;
  const share = permitsFor(limit, { ticket, mine, need, rivals });
  const { fair, permits } = share;
  const rates = ratesOf(limit, rivals);
  const spent = withoutUnused(spentOf(known, rates), need.unused);
  const admitted = Math.min(permits - need.inUse, need.costs.length);
  const takers = limit.rate === undefined ? [] : need.costs.slice(need.covered, admitted);
  const free = freeOf(spent, rates, known.nowMs);
  const served = servedOf(takers, { free, rates, rivals, ticket });
  const reserved = takers.slice(0, served).reduce(sum, 0);
  const lease: Lease = {
    permits: permits < Infinity ? permits : 0,
    waiting: roughly(need.costs.length - admitted),
    cost: roughly(takers.slice(served).reduce(sum, 0)),
    head: takers[served] ?? 0,
    ticket: hasDrawn(reserved, rivals) ? record.ticket + 1 : ticket,
    beat: (mine?.beat ?? 0) + 1,
    concurrency: limit.concurrency,
    rate: limit.rate,
  };
  const isNeeded = lease.permits + lease.waiting + lease.cost > 0;
  const isChanged = isNeeded ? need.renew || !isSame(mine, lease) : mine !== undefined;
  if (!isChanged && need.unused + reserved === 0) return { fair, change: undefined };
  const others = Object.fromEntries(rivals.map((rival) => [rival.name, rival.lease]));
  const leases = isNeeded ? { ...others, [lessee]: lease } : others;
  const last = Math.max(record.ticket, lease.ticket);
  const written: LimitRecord = { ticket: last, fresh: reserved, spent, leases };
  return { fair, change: { permits, reserved, record: written } };
}

/** Other workers with a lease, without the dead (PERMIT-5). */
export function rivalsOf(record: LimitRecord, lessee: string, silence: Silence): readonly Rival[] {
  return Object.entries(record.leases)
    .filter(([name]) => name !== lessee && !silence.isDead(name))
    .map(([name, lease]) => ({ name, lease, isSilent: silence.isSilent(name) }));
}

/** Amounts that count for the rate by now, this record's own reservation included. */
export function spentOf(
  { record, storedAtMs }: KnownRecord,
  rates: readonly Rate[],
): readonly Spent[] {
  return withSpent(record.spent, [storedAtMs, record.fresh], rates);
}

/** All rates that somebody declares for this limit. */
export function ratesOf(
  limit: Limit,
  rivals: readonly { readonly lease: Lease }[],
): readonly Rate[] {
  const all = [limit.rate, ...rivals.map(({ lease }) => lease.rate)];
  return all.filter((rate) => rate !== undefined);
}

interface Share {
  readonly ticket: number;
  readonly mine: Lease | undefined;
  readonly need: Need;
  readonly rivals: readonly Rival[];
}

/** PERMIT-1, PERMIT-2, PERMIT-3 */
function permitsFor(
  limit: Limit,
  { mine, need, rivals, ticket }: Share,
): { readonly permits: number; readonly fair: number } {
  const wants = need.inUse + need.costs.length;
  const concurrency = Math.min(
    limit.concurrency ?? Infinity,
    ...rivals.map(({ lease }) => lease.concurrency ?? Infinity),
  );
  if (concurrency === Infinity) return { permits: Infinity, fair: Infinity };
  const free = concurrency - rivals.map(({ lease }) => lease.permits).reduce(sum, 0);
  const kept = Math.max(wants, need.keep ? (mine?.permits ?? 0) : 0);
  if (!isContested(rivals)) {
    return { permits: Math.max(need.inUse, Math.min(kept, free)), fair: Infinity };
  }
  const claims = rivals.map(({ isSilent, lease, name }) => {
    return { name, ticket: lease.ticket, wants: lease.permits + (isSilent ? 0 : lease.waiting) };
  });
  const shares = fairShares(concurrency, [...claims, { name: ownClaim, ticket, wants }]);
  const fair = shares.get(ownClaim) ?? 0;
  return { permits: Math.max(need.inUse, Math.min(fair, free)), fair };
}

interface Room {
  readonly free: number;
  readonly rates: readonly Rate[];
  readonly rivals: readonly Rival[];
  readonly ticket: number;
}

/** PERMIT-3, PERMIT-4: number of those waiting that are served, from the first on. */
function servedOf(costs: readonly number[], { free, rates, rivals, ticket }: Room): number {
  // While two versions of a limit are at work, a cost may be too large for the stricter one.
  const possible = Math.min(Infinity, ...rates.map(({ count }) => count));
  const others = rivals.filter(({ isSilent, lease }) => !isSilent && lease.cost > 0);
  const first = others.filter(({ lease }) => lease.ticket < ticket && lease.head <= possible);
  const room = free - first.map(({ lease }) => lease.head).reduce(sum, 0);
  let total = 0;
  for (const [index, cost] of costs.entries()) {
    total += cost;
    const most = index === 0 ? room : Math.min(room, free / (others.length + 1));
    if (total > most) return index;
  }
  return costs.length;
}

/**
 * Whether it drew on the rate while others waited for it. For permits it is their use that counts,
 * not the taking, or one that waits for the rate would be sent to the end before it was served.
 */
function hasDrawn(reserved: number, rivals: readonly Rival[]): boolean {
  return reserved > 0 && rivals.some(({ isSilent, lease }) => !isSilent && lease.cost > 0);
}

/** Whether somebody else waits for permits. */
function isContested(rivals: readonly Rival[]): boolean {
  return rivals.some(({ isSilent, lease }) => !isSilent && lease.waiting > 0);
}

function isSame(mine: Lease | undefined, lease: Lease): boolean {
  return (
    mine !== undefined &&
    mine.permits === lease.permits &&
    mine.waiting === lease.waiting &&
    mine.cost === lease.cost
  );
}

/** No lessee has this name: it has no random part. */
const ownClaim = "";

/** The next power of two, so that not everyone who comes makes another write. */
function roughly(count: number): number {
  return count <= 0 ? 0 : 2 ** Math.ceil(Math.log2(count));
}

function sum(total: number, value: number): number {
  return total + value;
}
