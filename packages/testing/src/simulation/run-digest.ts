/** A digest of a run: every step with its time, and everything that is on the log. */
import { createHash } from "node:crypto";

import type { LogEntry } from "@troupe/core/log";

export class RunDigest {
  readonly #hashes = new Map<string, number>();
  #steps = 0;

  step(what: string, atMs: number): void {
    const time = Math.round(atMs * 1024);
    this.#steps = Math.imul(this.#steps ^ this.#hashOf(what), 16777619);
    this.#steps = Math.imul(this.#steps ^ time ^ (time / 2 ** 32), 16777619);
  }

  /** The digest in hexadecimal. */
  end(entries: readonly LogEntry[]): string {
    const hash = createHash("sha256");
    hash.update(String(this.#steps));
    for (const entry of entries) {
      const bytes = (_: string, value: unknown): unknown =>
        value instanceof Uint8Array ? Buffer.from(value).toString("base64") : value;
      hash.update(JSON.stringify(entry, bytes));
    }
    return hash.digest("hex");
  }

  /** There are few different kinds of steps and very many steps. */
  #hashOf(what: string): number {
    let hash = this.#hashes.get(what);
    if (hash !== undefined) return hash;
    hash = 2166136261;
    for (let i = 0; i < what.length; i++) hash = Math.imul(hash ^ what.charCodeAt(i), 16777619);
    this.#hashes.set(what, hash);
    return hash;
  }
}
