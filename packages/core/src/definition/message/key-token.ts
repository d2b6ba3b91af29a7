/**
 * Agent keys as subject tokens.
 *
 * A key is any non-empty string. On the wire it is one readable token: letters, digits and most
 * punctuation stay as they are; characters with a meaning in subjects (dot, star, greater-than,
 * white space, control characters) and the percent sign itself are percent-encoded as UTF-8 bytes,
 * RFC 3986 style, upper-case hex. `alice@example.com` is `alice@example%2Ecom`. The encoding is
 * canonical: one key has one token, and a token that is not its key's own encoding is refused, so
 * that no two subjects can name the same agent.
 */
import { InvalidKeyError } from "../../errors/message-errors.ts";

/**
 * Longest token in bytes; a subject holds several and servers refuse control lines over 4096 bytes.
 */
export const keyTokenBytesMax = 512;

// oxlint-disable-next-line no-control-regex -- control characters are what must be encoded.
const unsafe = /[\u0000-\u0020\u007f.*>%\s\ud800-\udfff]/u;
// oxlint-disable-next-line no-control-regex
const unsafeAll = /[\u0000-\u0020\u007f.*>%\s\ud800-\udfff]/gu;

/**
 * The subject token of a key. @throws InvalidKeyError when it is empty, too long or not well-formed
 * Unicode.
 *
 * @example
 * ```ts
 * keyToToken("alice@example.com"); // "alice@example%2Ecom"
 * ```
 */
export function keyToToken(key: string): string {
  if (key.length === 0) throw invalid(key, "it is empty");
  if (!key.isWellFormed()) throw invalid(key, "it has an unpaired surrogate");
  const token = unsafe.test(key) ? key.replace(unsafeAll, percentEncode) : key;
  if (token.length * 3 > keyTokenBytesMax && Buffer.byteLength(token) > keyTokenBytesMax) {
    throw invalid(key, `its token is longer than ${keyTokenBytesMax} bytes`);
  }
  return token;
}

/**
 * Whether this can be the key of an agent, or the name of a cell.
 *
 * @example
 * ```ts
 * isToken("alice"); // true
 * ```
 */
export function isToken(key: string): boolean {
  try {
    keyToToken(key);
    return true;
  } catch {
    return false;
  }
}

/**
 * The key of a subject token. @throws InvalidKeyError when it is badly escaped, too long or not
 * canonical.
 *
 * @example
 * ```ts
 * tokenToKey("alice@example%2Ecom"); // "alice@example.com"
 * ```
 */
export function tokenToKey(token: string): string {
  if (!token.includes("%")) {
    if (keyToToken(token) !== token) throw invalid(token, "it must be percent-encoded");
    return token;
  }
  let key: string;
  try {
    key = decodeURIComponent(token);
  } catch (cause) {
    throw invalid(token, "its percent-encoding is broken", cause);
  }
  if (keyToToken(key) !== token) throw invalid(token, `write it as ${keyToToken(key)}`);
  return key;
}

function percentEncode(character: string): string {
  let encoded = "";
  for (const byte of Buffer.from(character)) {
    encoded += `%${byte.toString(16).toUpperCase().padStart(2, "0")}`;
  }
  return encoded;
}

function invalid(key: string, why: string, cause?: unknown): InvalidKeyError {
  const shown = key.length > 60 ? `${key.slice(0, 57)}…` : key;
  return new InvalidKeyError(`The key ${JSON.stringify(shown)} cannot name an agent: ${why}.`, {
    details: { key: shown },
    cause,
  });
}
