/**
 * The archive port: it keeps ranges of chains before they are truncated, gives
 * back what it has, and forgets an agent that is erased.
 */
import type { Position } from "../../definition/message/input.ts";
import type { Chain, ArchivedEntry } from "./chain.ts";
import type { ChainManifest } from "./chain-manifest.ts";

export interface ArchiveCallOptions {
  readonly signal?: AbortSignal | undefined;
}

/** A key of a chain: an agent, or a source of a topic. */
export interface ArchivedKey extends Chain {
  readonly key: string;
}

/** Outcome of an erasure. */
export interface ArchiveErasure {
  /** Segments that had something of the key, and were written anew without. */
  readonly segments: number;
  readonly entries: number;
}

/** Outcome of a check of a chain. */
export interface ArchiveCheck {
  readonly chain: Chain;
  readonly segments: number;
  readonly entries: number;
  readonly storedBytes: number;
  /** An error for each segment that is missing or damaged. */
  readonly faults: readonly Error[];
}

/** The archive of one log. */
export interface Archive {
  /** Place of the archive, for messages to people. */
  readonly place: string;

  /**
   * Archive a chain up to a position. It resolves when everything of the chain at or before it lies
   * in segments that were written, read back, compared and named by the manifest: only then may it
   * be truncated. Returns up to where the chain is archived, which may be further. Nothing is
   * written when it was archived so far before; any number of processes may do so at once.
   *
   * @param upTo a position that the log has reached
   * @throws ArchiveUnavailableError, ArchiveRefusedError, ArchiveDamagedError, ArchiveBusyError;
   * LogUnavailableError, LogWentBackError (the log does not reach `upTo`)
   *
   * @example
   * ```ts
   * const archivedTo = await archive.keep({ kind: "agent", name: "order" }, 1_000_000);
   * ```
   */
  keep(chain: Chain, upTo: Position, options?: ArchiveCallOptions): Promise<Position>;

  /**
   * Remove a key from all segments, also from those of a log that went back, and all objects that
   * nobody names. A part that the log still has is archived again by a later `keep`: erase the log
   * first. @throws ArchiveDamagedError (a segment that cannot be read cannot be written anew)
   */
  erase(key: ArchivedKey, options?: ArchiveCallOptions): Promise<ArchiveErasure>;

  /**
   * Remove the objects that no manifest names, such as those of a crash. Returns how many.
   *
   * @example
   * ```ts
   * const removed = await archive.sweep({ kind: "agent", name: "order" });
   * ```
   */
  sweep(chain: Chain, options?: ArchiveCallOptions): Promise<number>;

  /**
   * The chains that have anything.
   *
   * @example
   * ```ts
   * for (const { kind, name } of await archive.chains()) console.log(kind, name);
   * ```
   */
  chains(options?: ArchiveCallOptions): Promise<readonly Chain[]>;

  /**
   * The manifest of a chain, as far as it fits the log as it is now (I16).
   *
   * @example
   * ```ts
   * const manifest = await archive.manifest({ kind: "agent", name: "order" });
   * ```
   */
  manifest(chain: Chain, options?: ArchiveCallOptions): Promise<ChainManifest>;

  /**
   * The entries of a key after a position: those of the first segment that has any, in log order.
   * Empty when there are none up to the manifest's `archivedTo`.
   *
   * @param manifest as `manifest` says it; it may be a little older than the archive
   * @throws ArchiveMissingError, ArchiveDamagedError
   *
   * @example
   * ```ts
   * const entries = await archive.page(manifest, "alice", 0);
   * ```
   */
  page(
    manifest: ChainManifest,
    key: string,
    after: Position,
    options?: ArchiveCallOptions,
  ): Promise<readonly ArchivedEntry[]>;

  /**
   * All entries of a chain after a position, in log order, a segment at a time.
   *
   * @example
   * ```ts
   * for await (const entries of archive.entries(manifest, 0)) console.log(entries.length);
   * ```
   */
  entries(
    manifest: ChainManifest,
    after: Position,
    options?: ArchiveCallOptions,
  ): AsyncIterable<readonly ArchivedEntry[]>;

  /**
   * Read everything of a chain, and compare it with its checksums.
   *
   * @example
   * ```ts
   * const report = await archive.check({ kind: "agent", name: "order" });
   * ```
   */
  check(chain: Chain, options?: ArchiveCallOptions): Promise<ArchiveCheck>;
}
