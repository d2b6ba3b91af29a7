/** Keys of the agents of a type, partition by partition, so that only one of them is in memory. */
import { requireName } from "../definition/name.ts";
import { requireOptions } from "../definition/option-rules.ts";
import type { Log } from "../log/log.ts";

export interface KeysOptions {
  /** Only keys that begin with it. @default all */
  readonly prefix?: string | undefined;
  /** Ends the listing. @default it goes on to the last one */
  readonly signal?: AbortSignal | undefined;
}

/** @throws DefinitionError, LogUnavailableError, and the reason of the signal */
export async function* agentKeys(
  log: Log,
  type: string,
  options: KeysOptions = {},
): AsyncGenerator<string, void, undefined> {
  requireName("agent type", type);
  requireOptions("Keys option ", options, { prefix: "other", signal: "other" });
  const { prefix = "", signal } = options;
  for (let partition = 0; partition < log.partitions; partition++) {
    for (const key of await log.keysOf(type, partition)) {
      signal?.throwIfAborted();
      if (key.startsWith(prefix)) yield key;
    }
  }
}
