/** Entries of a log, gathered into what is there at once. */
import type { Position } from "../../definition/message/input.ts";
import type { FollowRequest, Log, LogEntry } from "../log.ts";

export interface FollowedEntry {
  readonly entry: LogEntry;
  /** Number of matching entries after it, as far as is known. */
  readonly pending: number;
}

const chunkMax = 256;

/**
 * Follows a log; each chunk has what came without a pause, in log order.
 *
 * @param onStart hears how much there is, when following starts
 */
export async function* entryChunks(
  log: Pick<Log, "follow">,
  request: FollowRequest & { readonly from: Position },
  onStart: (pending: number) => void,
): AsyncGenerator<readonly FollowedEntry[], void, undefined> {
  let pending: number | undefined;
  const onPending = (count: number): void => {
    if (pending === undefined) onStart(count);
    pending = count;
  };
  const entries = log.follow({ ...request, onPending })[Symbol.asyncIterator]();
  let next = entries.next();
  try {
    for (;;) {
      const chunk: FollowedEntry[] = [];
      let result: IteratorResult<LogEntry> | undefined = await next;
      while (result !== undefined && result.done !== true) {
        chunk.push({ entry: result.value, pending: pending ?? 0 });
        next = entries.next();
        // A reader that stops in the middle does not hear of it.
        next.catch(() => undefined);
        result = chunk.length < chunkMax ? await Promise.race([next, pause()]) : undefined;
      }
      if (chunk.length > 0) yield chunk;
      if (result?.done === true) return;
    }
  } finally {
    await entries.return?.();
  }
}

/** Resolves after everything that is already there had its turn. */
function pause(): Promise<undefined> {
  return new Promise((resolve) => void setImmediate(resolve, undefined));
}
