/**
 * The partition of a key: FNV-1a, 32 bits, over the token's bytes, modulo the number of partitions.
 * The server's subject mapping `{{partition(n, token)}}` computes the same.
 */

/** Number of partitions of a shard. It is fixed when the stream is created. */
export const partitionCountDefault = 16;

const offsetBasis = 2166136261;
const prime = 16777619;

/**
 * @example
 * ```ts
 * const partition = partitionOfToken(keyToToken("alice"), log.partitions);
 * ```
 */
export function partitionOfToken(token: string, partitions: number): number {
  let hash = offsetBasis;
  for (let i = 0; i < token.length; i++) {
    const unit = token.charCodeAt(i);
    if (unit > 127) return partitionOfBytes(Buffer.from(token), partitions);
    hash = Math.imul(hash ^ unit, prime);
  }
  return (hash >>> 0) % partitions;
}

function partitionOfBytes(bytes: Uint8Array, partitions: number): number {
  let hash = offsetBasis;
  for (const byte of bytes) hash = Math.imul(hash ^ byte, prime);
  return (hash >>> 0) % partitions;
}
