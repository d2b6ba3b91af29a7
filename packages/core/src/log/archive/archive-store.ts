/**
 * The store port: a place for named objects that never change, such as a directory or a bucket.
 *
 * An archive asks no more of a store, because every store can do this much. The one thing that
 * changes, the manifest of a chain, is a series of numbered objects: the creator of the next number
 * has changed it. The rules an archive relies on:
 *
 *  STORE-1 `put` creates an object whole, or not at all; after it resolved, a crash of any process
 *     or machine of ours does not take the object away.
 *  STORE-2 Of several that create one name, exactly one is told that it did; an object that is
 *     there is never changed.
 *  STORE-3 An object that was put is found by `get` and `list` from then on, a removed one is not.
 */

/** An object as a list tells it. */
export interface ArchiveObject {
  readonly name: string;
  readonly bytes: number;
}

/** Part of an object. */
export interface ByteRange {
  /** First byte; negative counts from the end, and begins at 0 where the object is shorter. */
  readonly from: number;
  /** Number of bytes; fewer come where the object ends. At least 1. */
  readonly bytes: number;
}

export interface StoreCallOptions {
  readonly signal?: AbortSignal | undefined;
}

export interface ArchiveStore {
  /** Place of the store, for messages to people; never with a secret. */
  readonly place: string;

  /**
   * Create an object; false when one of this name is there already (STORE-1, STORE-2): after a lost
   * answer, when the store tried again by itself, it may be its own.
   *
   * @param name parts of letters, digits and `-_.%~=+@,`, separated by `/`; none is `.` or `..`
   * @throws ArchiveUnavailableError (unknown whether it is there), ArchiveRefusedError
   *
   * @example
   * ```ts
   * const isNew = await store.put("agent/order/1", new Uint8Array([1, 2, 3]));
   * ```
   */
  put(name: string, content: Uint8Array, options?: StoreCallOptions): Promise<boolean>;

  /**
   * An object's bytes, or a range of them; undefined when it is not there.
   *
   * @throws ArchiveUnavailableError, ArchiveRefusedError
   *
   * @example
   * ```ts
   * const bytes = await store.get("agent/order/1");
   * ```
   */
  get(name: string, range?: ByteRange, options?: StoreCallOptions): Promise<Uint8Array | undefined>;

  /**
   * All objects whose names begin with `prefix`, by name. An unfinished object that a crash left
   * may be among them, under a name that no caller gave. @throws ArchiveUnavailableError,
   * ArchiveRefusedError
   *
   * @example
   * ```ts
   * for (const { name } of await store.list("agent/order/")) console.log(name);
   * ```
   */
  list(prefix: string, options?: StoreCallOptions): Promise<readonly ArchiveObject[]>;

  /**
   * Remove an object; nothing happens when it is not there. @throws ArchiveUnavailableError,
   * ArchiveRefusedError
   *
   * @example
   * ```ts
   * await store.remove("agent/order/1");
   * ```
   */
  remove(name: string, options?: StoreCallOptions): Promise<void>;
}
