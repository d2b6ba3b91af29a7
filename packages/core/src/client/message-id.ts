/** Ids of the messages that a client sends. */
import { randomBytes } from "node:crypto";

import type { Random } from "../clock/random.ts";
import { hexOf, systemRandom } from "../clock/random.ts";

/** Unique per message: a random process prefix and a counter. */
const idPrefix = randomBytes(9).toString("base64url");
let idCount = 0;

export function messageId(random: Random): string {
  if (random !== systemRandom) return hexOf(random, 12);
  idCount += 1;
  return `${idPrefix}.${idCount.toString(36)}`;
}
