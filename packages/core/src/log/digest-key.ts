/**
 * The namespace's key for digests, in a cell: made by whoever comes first, never changed, because
 * the identity of every recorded step contains a digest. A backup or a copy of a namespace takes it
 * along.
 */
import { randomBytes } from "node:crypto";

import type { Random } from "../clock/random.ts";
import { hexOf, systemRandom } from "../clock/random.ts";
import { RevisionConflictError } from "../errors/log-errors.ts";
import type { Log } from "./log.ts";

/** The cell's name. */
export const digestKeyCell = "digest-key";

/** 32 bytes. @throws LogUnavailableError */
export async function digestKeyOf(
  log: Pick<Log, "cell" | "writeCell">,
  random: Random = systemRandom,
): Promise<Uint8Array> {
  for (;;) {
    const found = await log.cell(digestKeyCell);
    if (found !== undefined) return found.value;
    try {
      const key = newKey(random);
      await log.writeCell(digestKeyCell, key, 0);
      return key;
    } catch (thrown) {
      // Somebody else was first.
      if (!(thrown instanceof RevisionConflictError)) throw thrown;
    }
  }
}

const keyBytes = 32;

function newKey(random: Random): Uint8Array {
  return random === systemRandom
    ? randomBytes(keyBytes)
    : Buffer.from(hexOf(random, keyBytes), "hex");
}
