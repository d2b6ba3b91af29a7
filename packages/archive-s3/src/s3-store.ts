/**
 * An archive's store in a bucket.
 *
 * The server's part is that nobody overwrites an object (STORE-2): `If-None-Match: *` on a PUT.
 * Servers that do not know it overwrite without a word, so the first `put` of a process tries it on
 * an object of its own, and refuses such a server.
 */
import { ArchiveRefusedError } from "@troupe/core/errors";
import { requireObjectName } from "@troupe/core/archive";
import type {
  ArchiveObject,
  ArchiveStore,
  ByteRange,
  StoreCallOptions,
} from "@troupe/core/archive";
import { randomBytes } from "node:crypto";

import { listedObjects } from "./listed-objects.ts";
import type { S3Options, S3Settings } from "./s3-options.ts";
import { s3Settings } from "./s3-options.ts";
import { s3Request } from "./s3-requests.ts";

/**
 * A store in a bucket of Amazon S3, or of anything that speaks its protocol and knows conditional
 * writes: MinIO, SeaweedFS, Ceph, R2.
 *
 * @throws DefinitionError
 *
 * @example
 * ```ts
 * const archive = s3Store({
 *   bucket: "archive",
 *   prefix: "troupe",
 *   endpoint: "https://s3.example.com",
 * });
 * const troupe = await connect(url, { archive });
 * ```
 */
export function s3Store(options: S3Options): ArchiveStore {
  return new S3Store(s3Settings(options));
}

class S3Store implements ArchiveStore {
  readonly #settings: S3Settings;
  #tried: Promise<void> | undefined;

  constructor(settings: S3Settings) {
    this.#settings = settings;
  }

  get place(): string {
    return `${this.#settings.url}/${this.#settings.prefix}`;
  }

  async put(
    name: string,
    content: Uint8Array,
    { signal }: StoreCallOptions = {},
  ): Promise<boolean> {
    requireObjectName(name);
    this.#tried ??= this.#tryConditions();
    try {
      await this.#tried;
    } catch (thrown) {
      this.#tried = undefined;
      throw thrown;
    }
    return this.#create(name, content, signal);
  }

  async get(
    name: string,
    range?: ByteRange,
    { signal }: StoreCallOptions = {},
  ): Promise<Uint8Array | undefined> {
    requireObjectName(name);
    const headers = range === undefined ? {} : { range: rangeHeader(range) };
    const { body, status } = await s3Request(this.#settings, {
      method: "GET",
      name,
      headers,
      signal,
    });
    if (status === 404) return undefined;
    if (range === undefined) return body;
    // From beyond the end.
    if (status === 416) return Buffer.alloc(0);
    if (status === 206) return body.subarray(0, range.bytes);
    const from = range.from < 0 ? Math.max(0, body.length + range.from) : range.from;
    return body.subarray(from, from + range.bytes);
  }

  async list(prefix: string, { signal }: StoreCallOptions = {}): Promise<readonly ArchiveObject[]> {
    const { listPageMax, prefix: own } = this.#settings;
    const objects: ArchiveObject[] = [];
    for (let token: string | undefined; ;) {
      const query = {
        "list-type": "2",
        "max-keys": String(listPageMax),
        prefix: own + prefix,
        ...(token === undefined ? {} : { "continuation-token": token }),
      };
      const { body, status } = await s3Request(this.#settings, {
        method: "GET",
        name: "",
        query,
        signal,
      });
      if (status !== 200) throw this.#unlisted(status);
      const page = listedObjects(body.toString());
      for (const { bytes, name } of page.objects) {
        objects.push({ name: name.slice(own.length), bytes });
      }
      if (page.next === undefined) break;
      token = page.next;
    }
    return objects.toSorted((one, other) => (one.name < other.name ? -1 : 1));
  }

  async remove(name: string, { signal }: StoreCallOptions = {}): Promise<void> {
    requireObjectName(name);
    await s3Request(this.#settings, { method: "DELETE", name, signal });
  }

  async #create(name: string, body: Uint8Array, signal: AbortSignal | undefined): Promise<boolean> {
    const headers = { "if-none-match": "*", "content-type": "application/octet-stream" };
    const { status } = await s3Request(this.#settings, {
      method: "PUT",
      name,
      headers,
      body,
      signal,
    });
    if (status === 412) return false;
    if (status === 200) return true;
    throw new ArchiveRefusedError(`The store ${this.place} answered ${status} to a new object.`, {
      details: { place: this.place, object: name, status },
    });
  }

  async #tryConditions(): Promise<void> {
    const name = `conditional-${randomBytes(9).toString("base64url")}`;
    const content = Buffer.from("Whether a name that is taken is refused.");
    await this.#create(name, content, undefined);
    const isOverwritten = await this.#create(name, content, undefined);
    await this.remove(name);
    if (!isOverwritten) return;
    throw new ArchiveRefusedError(
      `The store ${this.place} overwrites objects although it was told not to (If-None-Match: *): two workers could ` +
        "lose each other's segments. Use a server, or a newer version of it, that knows conditional writes.",
      { details: { place: this.place } },
    );
  }

  #unlisted(status: number): ArchiveRefusedError {
    return new ArchiveRefusedError(`The store ${this.place} cannot be listed: ${status}.`, {
      details: { place: this.place, status },
    });
  }
}

function rangeHeader({ bytes, from }: ByteRange): string {
  return from < 0 ? `bytes=${from}` : `bytes=${from}-${from + bytes - 1}`;
}
