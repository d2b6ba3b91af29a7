/** An archive's store in memory, for tests: it is gone with the process. */
import type { ArchiveObject, ArchiveStore, ByteRange } from "@troupe/core/archive";
import { requireObjectName } from "@troupe/core/archive";

export interface MemoryArchiveStore extends ArchiveStore {
  /** The objects by name. A change here is damage. */
  readonly objects: Map<string, Uint8Array>;
}

/**
 * An empty store.
 *
 * @example
 * ```ts
 * const troupe = createTroupe(createMemoryBroker().connect(), {
 *   archive: memoryArchiveStore(),
 * });
 * ```
 */
export function memoryArchiveStore(): MemoryArchiveStore {
  const objects = new Map<string, Uint8Array>();
  return {
    place: "memory",
    objects,
    async put(name, content, { signal } = {}) {
      requireObjectName(name);
      signal?.throwIfAborted();
      if (objects.has(name)) return false;
      objects.set(name, Uint8Array.from(content));
      return true;
    },
    async get(name, range, { signal } = {}) {
      requireObjectName(name);
      signal?.throwIfAborted();
      const object = objects.get(name);
      return object && Uint8Array.from(rangeOf(object, range));
    },
    async list(prefix, { signal } = {}): Promise<readonly ArchiveObject[]> {
      signal?.throwIfAborted();
      return [...objects]
        .filter(([name]) => name.startsWith(prefix))
        .map(([name, { length: bytes }]) => ({ name, bytes }))
        .toSorted((one, other) => (one.name < other.name ? -1 : 1));
    },
    async remove(name, { signal } = {}) {
      signal?.throwIfAborted();
      objects.delete(name);
    },
  };
}

function rangeOf(object: Uint8Array, range: ByteRange | undefined): Uint8Array {
  if (range === undefined) return object;
  const from = range.from < 0 ? Math.max(0, object.length + range.from) : range.from;
  return object.subarray(from, from + range.bytes);
}
