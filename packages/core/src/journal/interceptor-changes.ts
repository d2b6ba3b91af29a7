/**
 * Changes that interceptors made to a turn, so that its record does not pass for the handler's own
 * word.
 */

export interface InterceptorChanges {
  /** Parts that the interceptors of receive replaced. */
  readonly receive?: readonly ("payload" | "reply")[] | undefined;
  /** Digest of the payload that the handler got, when they replaced it and it can be stored. */
  readonly payload?: string | undefined;
  /** Names of what the interceptors of commit replaced in the record, such as `events`. */
  readonly commit?: readonly string[] | undefined;
}

/**
 * Names of the fields that differ between the record that a turn made and the one that interceptors
 * made of it.
 */
export function changedFields<Record extends object>(
  made: Record,
  kept: Record,
): readonly string[] {
  const names = new Set([...Object.keys(made), ...Object.keys(kept)]) as Set<keyof Record & string>;
  return [...names].filter((name) => name !== "changed" && made[name] !== kept[name]).toSorted();
}

/** The changes; undefined when there were none. */
export function changesOf(changes: InterceptorChanges): InterceptorChanges | undefined {
  const { commit = [], payload, receive = [] } = changes;
  if (commit.length === 0 && receive.length === 0) return undefined;
  return {
    ...(receive.length === 0 ? {} : { receive }),
    ...(payload === undefined ? {} : { payload }),
    ...(commit.length === 0 ? {} : { commit }),
  };
}
