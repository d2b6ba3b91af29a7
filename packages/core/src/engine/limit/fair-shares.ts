/**
 * Sharing a whole number of permits: everybody gets what they want up to the same level, and the
 * rest goes to those who came first (max-min fairness).
 */

export interface Claim {
  readonly name: string;
  readonly wants: number;
  /** Place in the line: the lowest ticket came first. */
  readonly ticket: number;
}

/** Permits that each claim gets; all together at most `permits`, a whole number. */
export function fairShares(permits: number, claims: readonly Claim[]): ReadonlyMap<string, number> {
  let left = permits;
  let level = Infinity;
  const byWant = claims.toSorted((first, second) => first.wants - second.wants);
  for (const [index, { wants }] of byWant.entries()) {
    const equal = Math.floor(left / (byWant.length - index));
    if (wants > equal) {
      level = equal;
      left -= equal * (byWant.length - index);
      break;
    }
    left -= wants;
  }
  const shares = new Map<string, number>();
  for (const { name, wants } of claims.toSorted((first, second) => first.ticket - second.ticket)) {
    const isLeftOver = wants > level && left > 0;
    if (isLeftOver) left -= 1;
    shares.set(name, Math.min(wants, level + (isLeftOver ? 1 : 0)));
  }
  return shares;
}
