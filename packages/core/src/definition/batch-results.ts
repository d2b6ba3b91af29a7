/** A check that a batch returns one result for each of its items. */
import { BatchResultError } from "../errors/message-errors.ts";

/** @throws BatchResultError */
export function requireOnePerItem(
  what: string,
  results: unknown,
  items: number,
): readonly unknown[] {
  if (Array.isArray(results) && results.length === items) return results;
  const got = Array.isArray(results) ? `${results.length} results` : `a ${typeof results}`;
  throw new BatchResultError(
    `${what} returned ${got} for ${items} items: return an array with one result per item, in their order.`,
    { details: { what, items } },
  );
}
