/** The archive of one log in one store. */
import { requireName } from "../../definition/name.ts";
import { DefinitionError } from "../../errors/definition-errors.ts";
import type { Position } from "../../definition/message/input.ts";
import type { Log } from "../log.ts";
import type {
  Archive,
  ArchiveCallOptions,
  ArchiveCheck,
  ArchivedKey,
  ArchiveErasure,
} from "./archive-port.ts";
import { fittedManifest } from "./archive-fit.ts";
import type { FittedLog } from "./archive-fit.ts";
import type { ArchiveStore } from "./archive-store.ts";
import { ChainArchive } from "./chain-archive.ts";
import type { ArchivedEntry, Chain } from "./chain.ts";
import { chainName } from "./chain.ts";
import type { ChainManifest } from "./chain-manifest.ts";
import { chainOfObject, logPrefix } from "./chain-manifest.ts";
import { readKey, readSegment } from "./segment-file.ts";
import type { OptionRules } from "../../definition/option-rules.ts";
import { defined, requireOptions } from "../../definition/option-rules.ts";

export interface ArchiveOptions {
  /**
   * Bytes of entries in one segment before they are compressed, which is also what archiving and
   * reading in log order hold in memory. From 4096 to 268435456 (256 MiB).
   * @default 16777216 (16 MiB)
   */
  readonly segmentBytesMax?: number;
  /** Hears of trouble that no call reports, such as a log that went back. @default nobody */
  readonly onFault?: (what: string, thrown: unknown) => void;
}

export const archiveDefaults: Required<ArchiveOptions> = Object.freeze({
  segmentBytesMax: 16 * 1024 * 1024,
  onFault: () => undefined,
});

const archiveRules: OptionRules<ArchiveOptions> = {
  segmentBytesMax: { least: 4096, most: 256 * 1024 * 1024, whole: true },
  onFault: "other",
};

/** Segments that are looked into at once for one key. */
const readsAtOnce = 4;

/**
 * The archive of a log.
 *
 * @throws DefinitionError
 *
 * @example
 * ```ts
 * const archive = logArchive(log, directoryStore("/var/lib/troupe-archive"));
 * await archive.keep({ kind: "agent", name: "order" }, 1_000_000);
 * ```
 */
export function logArchive(
  log: FittedLog & ShardedOrNot,
  store: ArchiveStore,
  options: ArchiveOptions = {},
): Archive {
  requireOptions("Archive option ", options, archiveRules);
  requireOneShard(log);
  return new LogArchive(log, store, { ...archiveDefaults, ...defined(options) });
}

type ShardedOrNot = Pick<Log, "namespace" | "shards">;

/** A chain has one frontier, and in a log of several shards it would need one in each. */
function requireOneShard({ namespace, shards }: ShardedOrNot): void {
  if (shards === 1) return;
  throw new DefinitionError(
    `The log of ${namespace} has ${shards} shards, and only a log of one shard can have an archive: leave the archive out.`,
    { details: { namespace, shards } },
  );
}

class LogArchive implements Archive {
  readonly #log: FittedLog;
  readonly #store: ArchiveStore;
  readonly #settings: Required<ArchiveOptions>;
  readonly #chains = new Map<string, ChainArchive>();

  constructor(log: FittedLog, store: ArchiveStore, settings: Required<ArchiveOptions>) {
    this.#log = log;
    this.#store = store;
    this.#settings = settings;
  }

  get place(): string {
    return this.#store.place;
  }

  async keep(chain: Chain, upTo: Position, { signal }: ArchiveCallOptions = {}): Promise<Position> {
    return (await this.#chain(chain)).keep(upTo, signal);
  }

  async erase(
    { key, kind, name }: ArchivedKey,
    { signal }: ArchiveCallOptions = {},
  ): Promise<ArchiveErasure> {
    return (await this.#chain({ kind, name })).erase(key, signal);
  }

  async sweep(chain: Chain, { signal }: ArchiveCallOptions = {}): Promise<number> {
    return (await this.#chain(chain)).sweep(signal);
  }

  async chains({ signal }: ArchiveCallOptions = {}): Promise<readonly Chain[]> {
    const log = await this.#logId();
    const objects = await this.#store.list(logPrefix(log), { signal });
    const found = new Map<string, Chain>();
    for (const { name } of objects) {
      const chain = chainOfObject(log, name);
      if (chain !== undefined) found.set(chainName(chain), chain);
    }
    return [...found.values()];
  }

  async manifest(chain: Chain, { signal }: ArchiveCallOptions = {}): Promise<ChainManifest> {
    const { manifests } = await this.#chain(chain);
    return fittedManifest(this.#log, await manifests.latest(signal));
  }

  async page(
    { chain, segments }: ChainManifest,
    key: string,
    after: Position,
    { signal }: ArchiveCallOptions = {},
  ): Promise<readonly ArchivedEntry[]> {
    const place = { store: this.#store, chain, signal };
    const wanted = segments.filter(({ to }) => to > after);
    for (let at = 0; at < wanted.length; at += readsAtOnce) {
      const some = wanted.slice(at, at + readsAtOnce);
      const read = await Promise.allSettled(some.map((each) => readKey(place, each, key)));
      const entries: ArchivedEntry[] = [];
      for (const outcome of read) {
        // Entries before the first failure are given back first.
        if (outcome.status === "rejected" && entries.length > 0) return entries;
        if (outcome.status === "rejected") throw outcome.reason;
        entries.push(...outcome.value.filter(({ position }) => position > after));
      }
      if (entries.length > 0) return entries;
    }
    return [];
  }

  async *entries(
    { chain, segments }: ChainManifest,
    after: Position,
    { signal }: ArchiveCallOptions = {},
  ): AsyncGenerator<readonly ArchivedEntry[], void, undefined> {
    const place = { store: this.#store, chain, signal };
    for (const segment of segments) {
      if (segment.to <= after) continue;
      signal?.throwIfAborted();
      const entries = await readSegment(place, segment);
      yield entries.filter(({ position }) => position > after);
    }
  }

  async check(chain: Chain, options: ArchiveCallOptions = {}): Promise<ArchiveCheck> {
    const { segments } = await this.manifest(chain, options);
    const place = { store: this.#store, chain, signal: options.signal };
    const faults: Error[] = [];
    let [entries, storedBytes] = [0, 0];
    for (const segment of segments) {
      storedBytes += segment.storedBytes;
      try {
        entries += (await readSegment(place, segment)).length;
      } catch (thrown) {
        options.signal?.throwIfAborted();
        faults.push(thrown as Error);
      }
    }
    return { chain, segments: segments.length, entries, storedBytes, faults };
  }

  /** A log that was made anew says so when it is asked for its end. */
  async #logId(): Promise<string> {
    await this.#log.end();
    return this.#log.id;
  }

  async #chain(chain: Chain): Promise<ChainArchive> {
    requireName(chain.kind, chain.name);
    const logName = await this.#logId();
    const id = `${logName}\n${chainName(chain)}`;
    const known = this.#chains.get(id);
    if (known !== undefined) return known;
    const host = { ...this.#settings, log: this.#log, store: this.#store, logName };
    const made = new ChainArchive(host, chain);
    this.#chains.set(id, made);
    return made;
  }
}
