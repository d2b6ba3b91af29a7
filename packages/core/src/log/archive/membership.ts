/**
 * Membership: an object beside each segment with eight bytes of a digest per key.
 *
 * Membership is read when the segment is missing or damaged, to tell the agents that lose something
 * by it from those that do not. The segment's name, which is random, goes into the digests, so they
 * say nothing to whoever does not have a key to try.
 */
import { createHash } from "node:crypto";
import { crc32 } from "node:zlib";

const digestBytes = 8;

export function membershipName(segment: string): string {
  return `${segment}.keys`;
}

/** The object's bytes. */
export function encodeMembership(segment: string, keys: Iterable<string>): Buffer {
  const digests = [...new Set(keys)].map((key) => keyDigest(segment, key));
  const body = Buffer.concat(digests.toSorted((one, other) => Buffer.compare(one, other)));
  const check = Buffer.alloc(4);
  check.writeUInt32BE(crc32(body));
  return Buffer.concat([check, body]);
}

/** True when the key is in the segment; undefined when the object cannot say. */
export function isMember(
  object: Uint8Array | undefined,
  segment: string,
  key: string,
): boolean | undefined {
  if (object === undefined || object.length < 4) return undefined;
  const bytes = Buffer.from(object.buffer, object.byteOffset, object.length);
  const body = bytes.subarray(4);
  if (crc32(body) !== bytes.readUInt32BE(0)) return undefined;
  const wanted = keyDigest(segment, key);
  for (let at = 0; at + digestBytes <= body.length; at += digestBytes) {
    if (wanted.equals(body.subarray(at, at + digestBytes))) return true;
  }
  return false;
}

function keyDigest(segment: string, key: string): Buffer {
  return createHash("sha256").update(`${segment}\n${key}`).digest().subarray(0, digestBytes);
}
