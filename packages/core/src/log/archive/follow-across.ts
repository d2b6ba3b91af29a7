/**
 * Following a log from where its archive begins (ACROSS-1 and ACROSS-2 in across-archive.ts).
 *
 * The chains of an archive have frontiers of their own. Up to the furthest one, what is archived
 * and what only the log has are merged by position; from there on the log is followed alone.
 */
import type { Position } from "../../definition/message/input.ts";
import type { FollowRequest, Log, LogEntry } from "../log.ts";
import { archiveUnsteady, isReplaced, triesMax } from "./archive-changes.ts";
import type { Archive } from "./archive-port.ts";
import type { Chain } from "./chain.ts";
import { chainName, logEntryOf } from "./chain.ts";
import type { ChainManifest } from "./chain-manifest.ts";
import type { FollowedEntry } from "./entry-chunks.ts";
import { entryChunks } from "./entry-chunks.ts";

type Manifests = ReadonlyMap<string, ChainManifest>;

/** Follows log and archive as `Log.follow` does the log. */
export async function* followAcross(
  log: Log,
  archive: Archive,
  request: FollowRequest,
): AsyncGenerator<LogEntry, void, undefined> {
  if (request.from === "new") {
    yield* log.follow(request);
    return;
  }
  const until = request.untilNow === true ? (await log.end()).last : Infinity;
  const following = new Following(log, archive, request);
  let tries = 0;
  for (let from = Math.max(1, request.from); from <= until;) {
    let last: Position = from - 1;
    for await (const { entry, pending } of following.from(from)) {
      last = positionOf(entry);
      if (last > until) return;
      request.onPending?.(pending);
      yield entry;
      if (request.signal?.aborted === true) return;
    }
    if (following.isOver) return;
    const next = Math.max(last, following.readTo) + 1;
    tries = next > from ? 0 : tries + 1;
    if (tries >= triesMax) throw archiveUnsteady(archive, "what is followed");
    from = next;
  }
}

class Following {
  readonly #log: Log;
  readonly #archive: Archive;
  readonly #request: FollowRequest;
  /** Position up to which no wanted entry is left. */
  readTo: Position = 0;
  /** The log ended the following by itself, or somebody asked for the end. */
  isOver = false;
  #isTold = false;

  constructor(log: Log, archive: Archive, request: FollowRequest) {
    this.#log = log;
    this.#archive = archive;
    this.#request = request;
  }

  /** Yields what is wanted from a position on; ends where the archive has to be looked at again. */
  async *from(from: Position): AsyncGenerator<FollowedEntry, void, undefined> {
    const manifests = await this.#manifests();
    const frontiers = [...manifests.values()].map(({ archivedTo }) => archivedTo);
    const frontier = Math.max(0, ...frontiers);
    if (from > frontier) {
      yield* this.#onLog(from, Infinity, manifests);
      this.isOver = !this.#isStale;
      return;
    }
    yield* this.#upTo(frontier, from, manifests);
  }

  #isStale = false;

  /** Archive and log, merged by position. */
  async *#upTo(
    frontier: Position,
    from: Position,
    manifests: Manifests,
  ): AsyncGenerator<FollowedEntry, void, undefined> {
    const behind = await this.#pendingAfter(frontier);
    const sources = [...manifests.values()].map((manifest) => this.#archived(manifest, from));
    const frontiers = [...manifests.values()].map(({ archivedTo }) => archivedTo);
    const least = this.#isOpen() ? 0 : Math.min(...frontiers);
    const logFrom = Math.max(from, least + 1);
    if (logFrom <= frontier) sources.push(this.#onLog(logFrom, frontier, manifests));
    const count = new Map<number, number>();
    const left = (): number => [...count.values()].reduce((sum, each) => sum + each, behind);
    yield* merged(sources, (source, { pending }) => {
      count.set(source, pending);
      return left();
    });
    if (!this.#isStale) this.readTo = frontier;
  }

  async *#archived(
    manifest: ChainManifest,
    from: Position,
  ): AsyncGenerator<FollowedEntry, void, undefined> {
    const { chain } = manifest;
    const wanted = (kind: "turn" | "input"): boolean => this.#request.kinds?.includes(kind) ?? true;
    let left = manifest.segments
      .filter(({ to }) => to >= from)
      .reduce((sum, { entries, records }) => {
        return sum + (wanted("turn") ? records : 0) + (wanted("input") ? entries - records : 0);
      }, 0);
    try {
      const { signal } = this.#request;
      for await (const page of this.#archive.entries(manifest, from - 1, { signal })) {
        for (const archived of page) {
          if (!wanted(archived.kind)) continue;
          left = Math.max(0, left - 1);
          yield { entry: logEntryOf(chain, archived), pending: left };
        }
      }
    } catch (thrown) {
      if (!(await isReplaced(this.#archive, chain, thrown))) throw thrown;
      this.#isStale = true;
    }
  }

  /**
   * Yields what only the log has; ends early when something of it may have been truncated
   * (ACROSS-1).
   */
  async *#onLog(
    from: Position,
    until: Position,
    manifests: Manifests,
  ): AsyncGenerator<FollowedEntry, void, undefined> {
    const untilNow = this.#request.untilNow === true || until < Infinity;
    const onStart = (pending: number): void => {
      if (until === Infinity && !this.#isTold) this.#request.onPending?.(pending);
      this.#isTold = true;
    };
    const request = { ...this.#request, from, untilNow };
    let read = from - 1;
    for await (const chunk of entryChunks(this.#log, request, onStart)) {
      if (await this.#isBeyond(read, manifests)) {
        this.#isStale = true;
        return;
      }
      for (const followed of chunk) {
        read = positionOf(followed.entry);
        if (read > until) return;
        if (!isArchived(followed.entry, manifests)) yield followed;
      }
    }
    // Also an end is only one when nothing was truncated before it.
    this.#isStale = await this.#isBeyond(read, manifests);
  }

  /** True when anything is archived by now that this reading takes from the log. */
  async #isBeyond(read: Position, manifests: Manifests): Promise<boolean> {
    const now = await this.#manifests();
    return [...now].some(([name, { archivedTo }]) => {
      return archivedTo > Math.max(read, manifests.get(name)?.archivedTo ?? 0);
    });
  }

  async #manifests(): Promise<Manifests> {
    const { signal } = this.#request;
    this.#isStale = false;
    const chains = await this.#chains();
    const manifests = await Promise.all(
      chains.map((chain) => this.#archive.manifest(chain, { signal })),
    );
    return new Map(manifests.map((manifest) => [chainName(manifest.chain), manifest]));
  }

  /** True when anything is wanted that is in no chain of the archive's, such as dead letters. */
  #isOpen(): boolean {
    const { kinds, topics, types } = this.#request;
    if (kinds === undefined || kinds.includes("dead-letter") || types === undefined) return true;
    return kinds.includes("input") && topics === undefined;
  }

  /** The chains of what is wanted. */
  async #chains(): Promise<readonly Chain[]> {
    const { kinds = ["input", "turn"], signal, topics, types } = this.#request;
    const isOfAgents = kinds.includes("turn") || kinds.includes("input");
    const isOfTopics = kinds.includes("input");
    const known =
      (types === undefined && isOfAgents) || (topics === undefined && isOfTopics)
        ? await this.#archive.chains({ signal })
        : [];
    const named = (kind: Chain["kind"], names: readonly string[] | undefined): readonly Chain[] =>
      names?.map((name) => ({ kind, name })) ?? known.filter((chain) => chain.kind === kind);
    return [
      ...(isOfAgents ? named("agent", types) : []),
      ...(isOfTopics ? named("topic", topics) : []),
    ];
  }

  /** Counts what the log has after a position, as far as it knows. */
  async #pendingAfter(position: Position): Promise<number> {
    const ending = new AbortController();
    let pending = 0;
    const onPending = (count: number): void => {
      pending = count;
      ending.abort();
    };
    const { untilNow: _, ...request } = this.#request;
    const peek = {
      ...request,
      from: position + 1,
      untilNow: true,
      onPending,
      signal: ending.signal,
    };
    for await (const entry of this.#log.follow(peek)) if (entry !== undefined) break;
    return pending;
  }
}

async function* merged(
  sources: readonly AsyncGenerator<FollowedEntry, void, undefined>[],
  pendingOf: (source: number, followed: FollowedEntry) => number,
): AsyncGenerator<FollowedEntry, void, undefined> {
  try {
    const next = await Promise.all(sources.map((each) => each.next()));
    for (;;) {
      let first = -1;
      let least = Infinity;
      for (const [index, { done, value }] of next.entries()) {
        if (done === true || positionOf(value.entry) >= least) continue;
        first = index;
        least = positionOf(value.entry);
      }
      const [source, result] = [sources[first], next[first]];
      if (source === undefined || result === undefined || result.done === true) return;
      yield { entry: result.value.entry, pending: pendingOf(first, result.value) };
      next[first] = await source.next();
    }
  } finally {
    await Promise.all(sources.map((each) => each.return()));
  }
}

function isArchived(entry: LogEntry, manifests: Manifests): boolean {
  const chain = chainOf(entry);
  const archivedTo = chain && manifests.get(chainName(chain))?.archivedTo;
  return archivedTo !== undefined && positionOf(entry) <= archivedTo;
}

function chainOf(entry: LogEntry): Chain | undefined {
  if (entry.kind === "turn") return { kind: "agent", name: entry.agent.type };
  if (entry.kind !== "input") return undefined;
  const { kind, name } = entry.input.address;
  return { kind, name };
}

function positionOf(entry: LogEntry): Position {
  if (entry.kind === "turn") return entry.entry.revision;
  return entry.kind === "input" ? entry.input.position : entry.position;
}
