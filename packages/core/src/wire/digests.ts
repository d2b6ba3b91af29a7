/**
 * Digests of contents: they say whether two contents are the same, and nothing else.
 *
 * A digest stays in the journal when the content is gone, so nobody may find a content by trying:
 * it is HMAC-SHA-256 with a key of the namespace, over the canonical form, cut to 8 bytes. The key
 * is made once (digest-key.ts) and never changes, because a step's identity contains a digest.
 */
import { createHash } from "node:crypto";

import { canonicalBytes, canonicalPayload } from "./canonical.ts";

export interface Digests {
  /**
   * Name of the key that made them, in 6 characters: digests of different keys cannot be compared.
   */
  readonly keyId: string;
  /** 11 characters of base64url. @throws NotStorableError */
  of(value: unknown): string;
  /** The same of a value that `encodePayload` has encoded. */
  ofPayload(payload: Uint8Array): string;
}

/** @param key secret, 32 random bytes */
export function digestsOf(key: Uint8Array): Digests {
  const inner = padded(key, 0x36);
  const outer = padded(key, 0x5c);
  const digestOf = (content: Uint8Array): string =>
    sha256(outer, sha256(inner, content)).toString("base64url", 0, digestBytes);
  const keyId = sha256(key, keyIdLabel).toString("base64url").slice(0, 6);
  return Object.freeze({
    keyId,
    of: (value: unknown) => digestOf(canonicalBytes(value)),
    ofPayload: (payload: Uint8Array) => digestOf(canonicalPayload(payload)),
  });
}

const digestBytes = 8;
/** Bytes that SHA-256 works on at once. */
const blockBytes = 64;
const keyIdLabel = Buffer.from("troupe digest key id");

/**
 * The two blocks that HMAC begins with (RFC 2104); two plain hashes are twice as fast as its
 * object.
 */
function padded(key: Uint8Array, pad: number): Uint8Array {
  const block = new Uint8Array(blockBytes).fill(pad);
  for (const [index, byte] of key.entries()) block[index] = byte ^ pad;
  return block;
}

function sha256(first: Uint8Array, second: Uint8Array): Buffer {
  return createHash("sha256").update(first).update(second).digest();
}
