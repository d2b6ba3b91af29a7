/**
 * Entries of all shards of a log, as one sequence: a shard's entries in their order, those of
 * several shards by their time as far as they are there at once.
 */
import type { FollowRequest, Log, LogEntry } from "./log.ts";
import type { ShardPositions } from "./shard-positions.ts";

/** The entries that one shard offers. */
interface Stream {
  readonly entries: AsyncIterator<LogEntry>;
  /** Matching entries after what it offers; undefined until it said so. */
  pending: number | undefined;
  /** The entry that it offers next. */
  head: LogEntry | undefined;
  /** Resolves when there is a head, or nothing comes any more. */
  coming: Promise<void> | undefined;
  ended: boolean;
  /** The error that its log threw. */
  failure: { readonly thrown: unknown } | undefined;
}

export async function* followShards(
  shards: readonly Log[],
  positions: ShardPositions,
  request: FollowRequest,
): AsyncGenerator<LogEntry, void, undefined> {
  const stopping = new AbortController();
  const signals = request.signal === undefined ? [] : [request.signal];
  const signal = AbortSignal.any([stopping.signal, ...signals]);
  const streams: Stream[] = [];
  const onPending = (): void => tellPending(streams, request);
  for (const [shard, log] of shards.entries()) {
    const from = startOf(shard, positions, request);
    if (from === undefined) continue;
    const stream = newStream();
    const entries = log.follow({
      ...request,
      from,
      signal,
      onPending: (count) => {
        stream.pending = count;
        if (stream.head === undefined) onPending();
      },
    });
    streams.push(Object.assign(stream, { entries: placed(entries, shard, positions) }));
  }
  try {
    for (;;) {
      for (const stream of streams) advance(stream);
      const coming = streams.flatMap((stream) => stream.coming ?? []);
      // Entries that are already there have an end, so their order is worth waiting for.
      if (request.untilNow === true) await Promise.all(coming);
      else if (!streams.some(({ head }) => head !== undefined)) await Promise.race(coming);
      const failed = streams.find(({ failure }) => failure !== undefined);
      if (failed?.failure !== undefined) throw failed.failure.thrown;
      const next = earliest(streams);
      if (next?.head === undefined) {
        if (streams.every(({ ended }) => ended)) return;
        continue;
      }
      const { head } = next;
      next.head = undefined;
      onPending();
      yield head;
    }
  } finally {
    stopping.abort();
    await Promise.all(streams.flatMap(({ entries }) => entries.return?.() ?? []));
  }
}

function newStream(): Omit<Stream, "entries"> & { entries?: Stream["entries"] } {
  return {
    pending: undefined,
    head: undefined,
    coming: undefined,
    ended: false,
    failure: undefined,
  };
}

async function* placed(
  entries: AsyncIterable<LogEntry>,
  shard: number,
  positions: ShardPositions,
): AsyncGenerator<LogEntry, void, undefined> {
  for await (const entry of entries) yield positions.logEntry(shard, entry);
}

/** Position at which following begins in a shard; undefined when nothing of it is wanted. */
function startOf(
  shard: number,
  positions: ShardPositions,
  { after, from }: FollowRequest,
): FollowRequest["from"] | undefined {
  if (after !== undefined) return positions.after(shard, after[shard] ?? 0) + 1;
  return from === "new" ? from : positions.from(shard, from);
}

function advance(stream: Stream): void {
  if (stream.ended || stream.head !== undefined || stream.coming !== undefined) return;
  stream.coming = stream.entries.next().then(
    ({ done, value }) => {
      stream.coming = undefined;
      if (done === true) {
        stream.ended = true;
        stream.pending = 0;
      } else stream.head = value;
    },
    (thrown: unknown) => {
      stream.coming = undefined;
      stream.failure = { thrown };
    },
  );
}

function earliest(streams: readonly Stream[]): Stream | undefined {
  let first: Stream | undefined;
  for (const stream of streams) {
    if (stream.head === undefined) continue;
    if (first?.head === undefined || timeOf(stream.head) < timeOf(first.head)) first = stream;
  }
  return first;
}

/** Time at which the log stored it. */
function timeOf(entry: LogEntry): number {
  if (entry.kind === "input") return entry.input.acceptedAtMs;
  return entry.kind === "turn" ? entry.entry.committedAtMs : entry.storedAtMs;
}

/** Says how many there are behind the next one, once every shard has said so. */
function tellPending(streams: readonly Stream[], { onPending }: FollowRequest): void {
  if (onPending === undefined) return;
  let count = 0;
  for (const { head, pending } of streams) {
    if (pending === undefined) return;
    count += pending + (head === undefined ? 0 : 1);
  }
  onPending(count);
}
