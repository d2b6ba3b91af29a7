/**
 * Entry of the key store under the name of a data subject: its key, and the ids of keys that were
 * erased. The ids stay, so that the parts that were sealed with them are known to be gone and not
 * merely unreadable.
 */
import { hkdfSync, randomBytes } from "node:crypto";

import { CorruptSealError } from "../../errors/personal-errors.ts";
import type { KeyReference } from "../../wire/sealed.ts";
import { decodeRecordPayload, encodeRecordPayload } from "../../wire/payload.ts";

export interface SubjectKey extends KeyReference {
  /** 32 random bytes. */
  readonly secret: Uint8Array;
}

/** An entry under one name in the key store. */
export interface KeyEntry {
  readonly key: SubjectKey | undefined;
  /** Ids of erased keys. */
  readonly erased: readonly string[];
}

export function newSubjectKey(name: string): SubjectKey {
  return { name, id: randomBytes(8).toString("base64url"), secret: randomBytes(keyBytes) };
}

const keyBytes = 32;
const format = 1;

/** Format, id or null, secret or null, erased ids. */
type WireEntry = readonly [number, string | null, Uint8Array | null, readonly string[]];

export function encodeKeyEntry({ erased, key }: KeyEntry): Uint8Array {
  const wire: WireEntry = [format, key?.id ?? null, key?.secret ?? null, erased];
  return encodeRecordPayload(wire);
}

/** @throws CorruptSealError */
export function decodeKeyEntry(name: string, bytes: Uint8Array): KeyEntry {
  const [version, id, secret, erased] = decodeRecordPayload(bytes) as WireEntry;
  const isRight = version === format && Array.isArray(erased);
  const hasKey = typeof id === "string" && secret instanceof Uint8Array;
  if (!isRight || (hasKey && secret.byteLength !== keyBytes)) {
    throw new CorruptSealError(
      `The key store's entry ${name} is none that this version reads: update Troupe, or restore the key store.`,
      { details: { name } },
    );
  }
  return { key: hasKey ? { name, id, secret } : undefined, erased };
}

/** A key made of several: without any one of them it cannot be made. */
export function combined(keys: readonly SubjectKey[]): Uint8Array {
  const [only] = keys;
  if (keys.length === 1 && only !== undefined) return only.secret;
  const material = Buffer.concat(keys.map(({ secret }) => secret));
  return new Uint8Array(hkdfSync("sha256", material, "", "troupe sealed by several", keyBytes));
}
