/**
 * An archive's store in a directory of a file system.
 *
 * An object is written under another name beside its own, synced, and linked to its own name, which
 * fails where that is taken: so it is there whole or not at all (STORE-1), and never replaced
 * (STORE-2). The directory is synced before `put` resolves. A crash may leave the other name, which
 * `list` shows.
 */
import { randomBytes } from "node:crypto";
import { link, mkdir, open, readdir, rm, stat, unlink } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";

import { ArchiveRefusedError, ArchiveUnavailableError } from "../../errors/archive-errors.ts";
import type { TroupeError } from "../../errors/troupe-error.ts";
import type { ArchiveObject, ArchiveStore, ByteRange } from "./archive-store.ts";
import { requireObjectName } from "./object-name.ts";

/**
 * A store in a directory, which is made when something is put there. All processes that share an
 * archive need the same directory: on one machine, or on a file system that all of them mount and
 * that can link files.
 *
 * @example
 * ```ts
 * const troupe = await connect(url, { archive: directoryStore("/var/lib/troupe-archive") });
 * ```
 */
export function directoryStore(directory: string): ArchiveStore {
  return new DirectoryStore(resolve(directory));
}

class DirectoryStore implements ArchiveStore {
  readonly place: string;

  constructor(directory: string) {
    this.place = directory;
  }

  async put(name: string, content: Uint8Array): Promise<boolean> {
    const path = this.#pathOf(name);
    return this.#doing(`create ${name}`, async () => {
      await this.#makeDirectory(dirname(path));
      const part = `${path}.part-${randomBytes(6).toString("hex")}`;
      try {
        await writeSynced(part, content);
        return await linked(part, path);
      } finally {
        await rm(part, { force: true });
        await sync(dirname(path));
      }
    });
  }

  async get(name: string, range?: ByteRange): Promise<Uint8Array | undefined> {
    const path = this.#pathOf(name);
    return this.#doing(`read ${name}`, async () => {
      const file = await ifThere(open(path, "r"));
      if (file === undefined) return undefined;
      try {
        if (range === undefined) return await file.readFile();
        const { size } = await file.stat();
        const from = range.from < 0 ? Math.max(0, size + range.from) : Math.min(range.from, size);
        const bytes = Buffer.alloc(Math.min(range.bytes, size - from));
        await file.read(bytes, 0, bytes.length, from);
        return bytes;
      } finally {
        await file.close();
      }
    });
  }

  list(prefix: string): Promise<readonly ArchiveObject[]> {
    return this.#doing(`list ${prefix}`, async () => {
      const objects: ArchiveObject[] = [];
      const slash = prefix.lastIndexOf("/");
      await this.#collect(prefix.slice(0, slash + 1), prefix, objects);
      return objects.toSorted((one, other) => (one.name < other.name ? -1 : 1));
    });
  }

  async remove(name: string): Promise<void> {
    const path = this.#pathOf(name);
    return this.#doing(`remove ${name}`, async () => {
      if ((await ifThere(unlink(path).then(() => true))) === true) await sync(dirname(path));
    });
  }

  /** Files below a folder, whose names end with a slash, that begin with a prefix. */
  async #collect(folder: string, prefix: string, objects: ArchiveObject[]): Promise<void> {
    const found = await ifThere(readdir(join(this.place, folder), { withFileTypes: true }));
    for (const entry of found ?? []) {
      const name = folder + entry.name;
      if (entry.isDirectory()) {
        const inside = `${name}/`;
        const isOnTheWay = inside.startsWith(prefix) || prefix.startsWith(inside);
        if (isOnTheWay) await this.#collect(inside, prefix, objects);
        continue;
      }
      if (!name.startsWith(prefix)) continue;
      const file = await ifThere(stat(join(this.place, name)));
      if (file?.isFile() === true) objects.push({ name, bytes: file.size });
    }
  }

  /** Makes a directory and what it lies in, each synced into the one above. */
  async #makeDirectory(path: string): Promise<void> {
    const first = await mkdir(path, { recursive: true });
    if (first === undefined) return;
    for (let made = path; ; made = dirname(made)) {
      await sync(dirname(made));
      if (made === first) return;
    }
  }

  #pathOf(name: string): string {
    requireObjectName(name);
    return join(this.place, ...name.split("/"));
  }

  async #doing<Result>(what: string, work: () => Promise<Result>): Promise<Result> {
    try {
      return await work();
    } catch (cause) {
      throw this.#failure(what, cause as NodeJS.ErrnoException);
    }
  }

  #failure(what: string, cause: NodeJS.ErrnoException): TroupeError {
    const options = { cause, details: { place: this.place, systemCode: cause.code } };
    if (cause.code === undefined || !final.has(cause.code)) {
      return new ArchiveUnavailableError(
        `The archive in ${this.place} could not ${what}: ${cause.message}.`,
        options,
      );
    }
    return new ArchiveRefusedError(
      `The archive in ${this.place} cannot ${what}: ${cause.message}. Look at the directory, its rights and its file system.`,
      options,
    );
  }
}

/**
 * Errors that stay whatever is tried. A file that vanished was taken away by somebody who tidied
 * up.
 */
const final: ReadonlySet<string> = new Set([
  "EACCES",
  "EPERM",
  "EROFS",
  "ENOTDIR",
  "EISDIR",
  "ENAMETOOLONG",
  "ENOTSUP",
  "EOPNOTSUPP",
  "EXDEV",
]);

async function writeSynced(path: string, content: Uint8Array): Promise<void> {
  const file = await open(path, "wx");
  try {
    await file.writeFile(content);
    await file.sync();
  } finally {
    await file.close();
  }
}

/** Gives a file a second name; false where that is taken. */
async function linked(from: string, to: string): Promise<boolean> {
  try {
    await link(from, to);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "EEXIST") return false;
    throw error;
  }
}

async function sync(directory: string): Promise<void> {
  // Windows cannot open a directory, and writes its entries by itself.
  if (process.platform === "win32") return;
  const opened = await open(directory, "r");
  try {
    await opened.sync();
  } finally {
    await opened.close();
  }
}

async function ifThere<Result>(reading: Promise<Result>): Promise<Result | undefined> {
  try {
    return await reading;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw error;
  }
}
