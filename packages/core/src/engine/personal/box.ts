/**
 * AES-256-GCM with a random nonce: nonce (12 bytes), ciphertext, tag (16 bytes). The names of the
 * keys and the placeholder are authenticated with it, so that nobody can put other ones beside it.
 */
import { createCipheriv, createDecipheriv, randomBytes } from "node:crypto";

import { CorruptSealError } from "../../errors/personal-errors.ts";
import { decodePayload, encodePayload, encodeRecordPayload } from "../../wire/payload.ts";
import type { KeyReference } from "../../wire/sealed.ts";
import { Sealed } from "../../wire/sealed.ts";
import type { SubjectKey } from "./subject-key.ts";
import { combined } from "./subject-key.ts";

const cipher = "aes-256-gcm";
const nonceBytes = 12;
const tagBytes = 16;

/** @throws NotStorableError */
export function seal(value: unknown, keys: readonly SubjectKey[], erased: unknown): Sealed {
  const nonce = randomBytes(nonceBytes);
  const encrypting = createCipheriv(cipher, combined(keys), nonce);
  encrypting.setAAD(beside(keys, erased));
  const content = encrypting.update(encodePayload(value, "The personal data"));
  const box = Buffer.concat([nonce, content, encrypting.final(), encrypting.getAuthTag()]);
  return new Sealed(keys, new Uint8Array(box), erased);
}

/** @throws CorruptSealError */
export function unseal(sealed: Sealed, keys: readonly SubjectKey[]): unknown {
  const { box, erased } = sealed;
  const end = box.byteLength - tagBytes;
  if (end < nonceBytes) throw corrupt(sealed);
  const decrypting = createDecipheriv(cipher, combined(keys), box.subarray(0, nonceBytes));
  decrypting.setAAD(beside(sealed.keys, erased));
  decrypting.setAuthTag(box.subarray(end));
  try {
    const content = decrypting.update(box.subarray(nonceBytes, end));
    return decodePayload(Buffer.concat([content, decrypting.final()]), "application/msgpack");
  } catch (cause) {
    throw corrupt(sealed, cause);
  }
}

function beside(keys: readonly KeyReference[], erased: unknown): Uint8Array {
  return encodeRecordPayload([keys.map(({ id, name }) => [name, id]), erased]);
}

function corrupt({ box, keys }: Sealed, cause?: unknown): CorruptSealError {
  const names = keys.map(({ name }) => name);
  return new CorruptSealError(
    `A sealed part of ${box.byteLength} bytes cannot be opened with its key (${names.join(", ")}): it was changed after it was stored.`,
    { details: { names, bytes: box.byteLength }, cause },
  );
}
