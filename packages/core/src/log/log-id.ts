/**
 * The id of a log in records, ids and keys. A position says something only together with it: in
 * another log it is another message.
 */
import { createHash } from "node:crypto";

/** 8 characters. @param identity of the log, as `Log.end` says it */
export function logIdOf(identity: string): string {
  return createHash("sha256").update(identity).digest("base64url").slice(0, idCharacters);
}

const idCharacters = 8;
