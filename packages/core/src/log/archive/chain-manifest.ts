/**
 * The manifest of a chain: which segments it has, and up to where it is archived.
 *
 * A store has only objects that never change, so a manifest is a series of numbered ones, and the
 * highest number counts.
 *
 *  MANIFEST-1 The creator of the next number has changed the manifest; of several exactly one does
 *     (STORE-2). Everybody else begins again with what the manifest says now.
 *  MANIFEST-2 A segment counts from the moment a manifest names it. Its name is random, and only
 *     who wrote it names it: so nobody can name what somebody else takes away.
 *  MANIFEST-3 Removing objects that no manifest names begins with a list of them, and then a change
 *     of the manifest, if need be to what it is: an archiver that wrote one of them and has not
 *     named it yet is refused by that, and writes anew.
 */
import { randomBytes } from "node:crypto";

import { ArchiveBusyError, ArchiveDamagedError } from "../../errors/archive-errors.ts";
import type { Position } from "../../definition/message/input.ts";
import type { Mark } from "../log-end.ts";
import type { ArchiveStore } from "./archive-store.ts";
import type { Chain } from "./chain.ts";
import { chainName } from "./chain.ts";
import type { NamedSegment } from "./segment-file.ts";
import { sha256 } from "./segment.ts";

export interface ChainManifest {
  readonly log: string;
  readonly chain: Chain;
  /**
   * Position up to which everything is in segments, as far as it was there when archiving began.
   */
  readonly archivedTo: Position;
  /** The log's end when that was so (I16). */
  readonly mark?: Mark | undefined;
  /**
   * Segments in log order; each begins where the one before ends, or later when there was nothing
   * between.
   */
  readonly segments: readonly NamedSegment[];
  /** Segments of a log that went back since: their entries are not on the log any more. */
  readonly lost: readonly NamedSegment[];
}

/** A manifest with its number; 0 for a chain that has none yet. */
export interface NumberedManifest extends ChainManifest {
  readonly number: number;
  /** A name for each change, with those before it. */
  readonly changes: readonly string[];
}

const manifestFormat = 1;
const kept = 16;
const changesKept = 64;
const readsMax = 20;

export class ChainManifests {
  readonly #store: ArchiveStore;
  readonly #chain: Chain;
  readonly #log: string;
  readonly #prefix: string;
  #last: NumberedManifest | undefined;

  constructor(store: ArchiveStore, log: string, chain: Chain) {
    this.#store = store;
    this.#log = log;
    this.#chain = chain;
    this.#prefix = `${chainPrefix(log, chain)}manifest/`;
  }

  /** The manifest of the highest number. @throws ArchiveDamagedError, ArchiveUnavailableError */
  async latest(signal?: AbortSignal): Promise<NumberedManifest> {
    for (let reads = 0; reads < readsMax; reads += 1) {
      const number = (await this.#numbers(signal)).at(-1) ?? 0;
      if (number === this.#last?.number) return this.#last;
      if (number === 0) return this.#none();
      const bytes = await this.#store.get(this.#nameOf(number), undefined, { signal });
      // So many changes since it was listed that it was removed.
      if (bytes === undefined) continue;
      this.#last = decodeManifest(bytes, number, this.#nameOf(number));
      return this.#last;
    }
    throw this.#busy();
  }

  /**
   * Change the manifest; false when it is not `base` any more, and nothing was changed
   * (MANIFEST-1).
   */
  async replace(base: NumberedManifest, next: ChainManifest): Promise<boolean> {
    const change = randomBytes(9).toString("base64url");
    const number = base.number + 1;
    const changes = [...base.changes, change].slice(-changesKept);
    const bytes = encodeManifest({ ...next, number, changes });
    const name = this.#nameOf(number);
    if (!(await this.#store.put(name, bytes)) && !(await this.#isOwn(name, bytes))) return false;
    // A number that was taken long ago, and removed since, can be created again.
    if (!(await this.latest()).changes.includes(change)) return false;
    await this.#removeOld(number);
    return true;
  }

  /** Recognises an object of ours, whose answer was lost and which was put again. */
  async #isOwn(name: string, bytes: Uint8Array): Promise<boolean> {
    const there = await this.#store.get(name);
    return there !== undefined && sha256(there) === sha256(bytes);
  }

  async #removeOld(number: number): Promise<void> {
    for (const old of await this.#numbers()) {
      if (old <= number - kept) await this.#store.remove(this.#nameOf(old));
    }
  }

  async #numbers(signal?: AbortSignal): Promise<readonly number[]> {
    const objects = await this.#store.list(this.#prefix, { signal });
    return objects
      .map(({ name }) => /^(\d{12})$/.exec(name.slice(this.#prefix.length))?.[1])
      .filter((digits) => digits !== undefined)
      .map(Number)
      .toSorted((one, other) => one - other);
  }

  #nameOf(number: number): string {
    return this.#prefix + String(number).padStart(12, "0");
  }

  #none(): NumberedManifest {
    const [log, chain] = [this.#log, this.#chain];
    return { log, chain, archivedTo: 0, segments: [], lost: [], number: 0, changes: [] };
  }

  #busy(): ArchiveBusyError {
    const chain = chainName(this.#chain);
    return new ArchiveBusyError(
      `The archive's manifest of ${chain} at ${this.#store.place} changes faster than it can be read.`,
      { details: { chain, place: this.#store.place } },
    );
  }
}

/** Beginning of the names of a chain's objects. */
export function chainPrefix(log: string, { kind, name }: Chain): string {
  return `${logPrefix(log)}${kind}.${name}/`;
}

/** Beginning of the names of a log's objects. */
export function logPrefix(log: string): string {
  return `${encodeURIComponent(log)}/`;
}

/** The chain that an object belongs to, by its name. */
export function chainOfObject(log: string, object: string): Chain | undefined {
  const [, kind, name] =
    /^(agent|topic)\.([^/]+)\//.exec(object.slice(logPrefix(log).length)) ?? [];
  return name === undefined ? undefined : { kind: kind as Chain["kind"], name };
}

function encodeManifest(manifest: NumberedManifest): Buffer {
  const { archivedTo, chain, changes, log, lost, mark, segments } = manifest;
  const body = JSON.stringify({ log, chain, archivedTo, mark, segments, lost, changes }, null, 1);
  return Buffer.from(`troupe-archive ${manifestFormat} ${sha256(Buffer.from(body))}\n${body}\n`);
}

function decodeManifest(bytes: Uint8Array, number: number, name: string): NumberedManifest {
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString();
  const [, format, digest, body = ""] = /^troupe-archive (\d+) (\w+)\n([^]*)\n$/.exec(text) ?? [];
  const isOurs = format === String(manifestFormat);
  if (isOurs && digest === sha256(Buffer.from(body))) {
    return { ...(JSON.parse(body) as Omit<NumberedManifest, "number">), number };
  }
  const why =
    format === undefined || isOurs
      ? "its bytes are not what was written; restore it from a copy"
      : `it has format ${format} and this version reads ${manifestFormat}; update Troupe`;
  throw new ArchiveDamagedError(`The archive's manifest ${name} cannot be used: ${why}.`, {
    details: { object: name },
  });
}
