/** Sources that a worker reads: the partitions of its types, and the unroutable messages. */
import type { Log } from "../../log/log.ts";
import { unroutableType } from "./unroutable-intake.ts";

/** Number of sources of inputs for each type. */
export function sourcesOf(
  types: readonly string[],
  { partitions }: Pick<Log, "partitions">,
): ReadonlyMap<string, number> {
  return new Map([...types.map((type) => [type, partitions] as const), [unroutableType, 1]]);
}
