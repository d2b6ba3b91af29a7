/** A chain's entries as the log has them, in log order. */
import type { Position } from "../../definition/message/input.ts";
import type { Log, LogEntry } from "../log.ts";
import type { ArchivedEntry, Chain } from "./chain.ts";
import { archivedEntry, followsOf } from "./chain.ts";

/** A part of a chain. */
export interface ChainSpan {
  readonly after: Position;
  /** The log has reached it. */
  readonly upTo: Position;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Entries of a chain after `after`, up to `upTo`. Each kind is followed by itself, because one
 * consumer with two filters costs the server eight times as much per message.
 */
export async function* chainEntries(
  log: Pick<Log, "follow">,
  chain: Chain,
  { after, signal, upTo }: ChainSpan,
): AsyncGenerator<ArchivedEntry, void, undefined> {
  const follows = followsOf(chain).map((wanted) =>
    entriesOf(log.follow({ ...wanted, from: after + 1, untilNow: true, signal }), upTo),
  );
  try {
    yield* mergedByPosition(follows);
  } finally {
    await Promise.all(follows.map((each) => each.return()));
  }
  signal?.throwIfAborted();
}

async function* entriesOf(
  entries: AsyncIterable<LogEntry>,
  upTo: Position,
): AsyncGenerator<ArchivedEntry, void, undefined> {
  for await (const entry of entries) {
    const archived = archivedEntry(entry);
    if (archived === undefined) continue;
    if (archived.position > upTo) return;
    yield archived;
  }
}

/** Several iterations, each in log order, as one. */
async function* mergedByPosition(
  iterations: readonly AsyncGenerator<ArchivedEntry, void, undefined>[],
): AsyncGenerator<ArchivedEntry, void, undefined> {
  const next = await Promise.all(iterations.map((each) => each.next()));
  for (;;) {
    let first = -1;
    let least = Infinity;
    for (const [index, { done, value }] of next.entries()) {
      if (done === true || value.position >= least) continue;
      first = index;
      least = value.position;
    }
    const [iteration, result] = [iterations[first], next[first]];
    if (iteration === undefined || result === undefined || result.done === true) return;
    yield result.value;
    next[first] = await iteration.next();
  }
}
