/** The key store of a memory broker, and one connection's way to it. */
import { RevisionConflictError } from "@troupe/core/errors";
import type { Position, KeyStore, StoredKey } from "@troupe/core/log";
import type { Wire } from "./wire.ts";

/** The key store of the broker. */
export class Keys {
  readonly #keys = new Map<string, StoredKey>();
  readonly #told: (name: string) => void;
  #writes = 0;

  constructor(told: (name: string) => void) {
    this.#told = told;
  }

  read(name: string): StoredKey | undefined {
    return this.#keys.get(name);
  }

  /** The last value replaces the one before, of which nothing is left. */
  write(name: string, value: Uint8Array, expectedRevision: Position): Position {
    const last = this.#keys.get(name)?.revision ?? 0;
    if (last !== expectedRevision) {
      throw new RevisionConflictError(
        `The key ${name} is at revision ${last}, not at ${expectedRevision}; nothing was stored. Read it and decide again.`,
        { details: { name, expectedRevision, revision: last } },
      );
    }
    this.#writes += 1;
    this.#keys.set(name, { revision: this.#writes, value });
    this.#told(name);
    return this.#writes;
  }

  /** Remove all keys, as when the store was lost. */
  clear(): void {
    this.#keys.clear();
  }
}

export function connectKeys(
  keys: Keys,
  wire: Wire,
  onChange: (listener: (name: string) => void) => () => void,
): KeyStore {
  return {
    read: (name) => wire.call("keys.read", () => keys.read(name)),
    write: (name, value, expectedRevision) => {
      const copy = new Uint8Array(value);
      return wire.call("keys.write", () => keys.write(name, copy, expectedRevision));
    },
    shred: (name, value, expectedRevision) => {
      const copy = new Uint8Array(value);
      return wire.call("keys.shred", () => keys.write(name, copy, expectedRevision));
    },
    onChange,
  };
}
