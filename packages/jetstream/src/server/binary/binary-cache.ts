/**
 * The per-user cache of nats-server binaries: `<cache>/<version>/<platform>-<arch>/nats-server`.
 *
 * 1. A binary is put together in a temporary folder inside the cache, and must print its version
 *    before it is moved in: nothing partial or foreign gets a final name.
 * 2. The move is a rename of one file, which is atomic: of two processes that install at once
 *    the later one replaces an equal file, and a server already running keeps its own.
 */

import { chmod, copyFile, mkdir, mkdtemp, readdir, rename, rm, stat } from "node:fs/promises";
import { homedir } from "node:os";
import { join } from "node:path";

import type { Finder, FinderContext, NatsServerBinary } from "./finder.ts";
import { compareVersions, isNewEnough, requireNewEnough } from "./server-version.ts";

/** Finds what an earlier download left. */
export const cacheFinder: Finder = { place: "the cache", find: findInCache };

/** Temporary folders older than this belong to installers that died, in milliseconds. */
const abandonedAfterMs = 60 * 60 * 1000;

const temporaryPrefix = ".installing-";

/** The folder of cached servers: TROUPE_CACHE_DIR, or the platform's place for caches. */
export function defaultCacheFolder(environment: NodeJS.ProcessEnv): string {
  return join(userCacheFolder(environment), "nats-server");
}

/** Path of the binary of a version for this platform. */
export function cachedBinaryPath(cacheFolder: string, version: string): string {
  const file = process.platform === "win32" ? "nats-server.exe" : "nats-server";
  return join(cacheFolder, version, `${process.platform}-${process.arch}`, file);
}

/**
 * Runs `obtain` in a fresh temporary folder; it returns the path of a nats-server it made there.
 * That file is checked and moved into the cache. The folder is removed in any case.
 */
export async function installBinary(
  context: FinderContext,
  obtain: (temporaryFolder: string) => Promise<string>,
): Promise<NatsServerBinary> {
  await mkdir(context.cacheFolder, { recursive: true });
  await removeAbandoned(context.cacheFolder);
  const temporaryFolder = await mkdtemp(join(context.cacheFolder, temporaryPrefix));
  try {
    const candidate = join(temporaryFolder, "candidate");
    await copyFile(await obtain(temporaryFolder), candidate);
    await chmod(candidate, 0o755);
    const version = await requireNewEnough(candidate, context.signal);
    const path = cachedBinaryPath(context.cacheFolder, version);
    await mkdir(join(path, ".."), { recursive: true });
    await rename(candidate, path);
    return { path, version };
  } finally {
    await rm(temporaryFolder, { recursive: true, force: true });
  }
}

async function findInCache(context: FinderContext): Promise<NatsServerBinary> {
  const versions = (await entriesOf(context.cacheFolder))
    .filter((name) => /^\d+\.\d+\.\d+$/.test(name) && isNewEnough(name))
    .toSorted((left, right) => compareVersions(right, left));
  const reasons: string[] = [];
  for (const version of versions) {
    const path = cachedBinaryPath(context.cacheFolder, version);
    try {
      return { path, version: await requireNewEnough(path, context.signal) };
    } catch (error) {
      reasons.push((error as Error).message);
    }
  }
  throw new Error(reasons.length > 0 ? reasons.join("; ") : `${context.cacheFolder} has none`);
}

async function removeAbandoned(cacheFolder: string): Promise<void> {
  for (const name of await entriesOf(cacheFolder)) {
    if (!name.startsWith(temporaryPrefix)) continue;
    const path = join(cacheFolder, name);
    const changedAtMs = await stat(path).then(
      (stats) => stats.mtimeMs,
      () => Date.now(),
    );
    if (Date.now() - changedAtMs > abandonedAfterMs) {
      await rm(path, { recursive: true, force: true });
    }
  }
}

async function entriesOf(folder: string): Promise<string[]> {
  try {
    return await readdir(folder);
  } catch {
    return [];
  }
}

function userCacheFolder(environment: NodeJS.ProcessEnv): string {
  const chosen = environment["TROUPE_CACHE_DIR"];
  if (chosen) return chosen;
  if (environment["XDG_CACHE_HOME"]) return join(environment["XDG_CACHE_HOME"], "troupe");
  if (process.platform === "darwin") return join(homedir(), "Library", "Caches", "troupe");
  if (process.platform === "win32" && environment["LOCALAPPDATA"]) {
    return join(environment["LOCALAPPDATA"], "troupe", "cache");
  }
  return join(homedir(), ".cache", "troupe");
}
