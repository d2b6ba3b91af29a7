/**
 * The port to where the keys of data subjects lie: a few bytes under each name.
 *
 * It is apart from everything else that a log stores, because its backups decide the worth of an
 * erasure: sealed data are gone when the last copy of their key is. An implementation may keep the
 * keys in a vault instead. Its rules:
 *
 *  KEYSTORE-1 `write` and `shred` change a name only where they name its last revision (0: never
 *     written); of several who do so at once exactly one succeeds.
 *  KEYSTORE-2 After `shred` no value that was there before can be read, by nobody and nowhere in
 *     the store's own files. A `shred` that ended in the middle is finished by doing it again.
 *  KEYSTORE-3 A read is answered by the store's leader: an entry that is not in the answer was not
 *     there when it was asked.
 */
import type { Position } from "../definition/message/input.ts";

export interface StoredKey {
  /** Grows with every change of this name. */
  readonly revision: Position;
  /** Bytes of the entry, never empty. */
  readonly value: Uint8Array;
}

export interface KeyStore {
  /** @throws LogUnavailableError */
  read(name: string): Promise<StoredKey | undefined>;
  /**
   * Store a value. @throws RevisionConflictError (nothing stored), LogUnavailableError (unknown)
   */
  write(name: string, value: Uint8Array, expectedRevision: Position): Promise<Position>;
  /**
   * Store a value and destroy all earlier ones of this name (KEYSTORE-2).
   * @throws RevisionConflictError (nothing stored), LogUnavailableError (unknown: do it again)
   */
  shred(name: string, value: Uint8Array, expectedRevision: Position): Promise<Position>;
  /** Hear of names that changed; it may be lost. Returns the function that ends it. */
  onChange(listener: (name: string) => void): () => void;
}
