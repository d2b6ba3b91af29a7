/**
 * Finds a nats-server to run: the one named explicitly, else the first of these that has one new
 * enough: PATH, the per-user cache, the official release, Debian's package. The last two download
 * into the cache, so that they are reached once per user and machine.
 */

import { NatsServerNotFoundError, type BinaryAttempt } from "../errors.ts";
import { cacheFinder, defaultCacheFolder } from "./binary-cache.ts";
import { debianFinder } from "./debian-finder.ts";
import type { Finder, FinderContext, NatsServerBinary } from "./finder.ts";
import { pathFinder } from "./path-finder.ts";
import { officialReleaseBaseUrl, releaseFinder } from "./release-finder.ts";
import { minimumNatsServerVersion, requireNewEnough } from "./server-version.ts";

/** Options of the search for a nats-server. */
export type FindNatsServerOptions = {
  /** The path of the binary; nothing else is tried. @default environment.TROUPE_NATS_SERVER */
  readonly binary?: string;
  /** @default process.env */
  readonly environment?: NodeJS.ProcessEnv;
  /** Address from which releases are downloaded. @default the official GitHub releases */
  readonly releaseBaseUrl?: string;
  /** Time that the release host may take to answer, in milliseconds. @default 10000 */
  readonly releaseAnswerTimeoutMs?: number;
  /** Folder in which the package sources are configured. @default "/etc/apt" */
  readonly aptFolder?: string;
  /** Ends the search; the promise rejects with the signal's reason. */
  readonly signal?: AbortSignal;
  /** Told of everything that takes more than a moment, such as a download. */
  readonly onProgress?: (message: string) => void;
};

const finders: readonly Finder[] = [pathFinder, cacheFinder, releaseFinder, debianFinder];

/**
 * Resolves with a nats-server that runs on this machine and is new enough; rejects with a
 * `NatsServerNotFoundError` that says what was tried and why each place had none.
 *
 * @example
 * ```ts
 * const { path, version } = await findNatsServer();
 * ```
 */
export async function findNatsServer(
  options: FindNatsServerOptions = {},
): Promise<NatsServerBinary> {
  const context = contextOf(options);
  const named = options.binary ?? context.environment["TROUPE_NATS_SERVER"];
  const candidates = named ? [namedFinder(named, options.binary !== undefined)] : finders;
  const attempts: BinaryAttempt[] = [];
  for (const finder of candidates) {
    context.signal.throwIfAborted();
    try {
      return await finder.find(context);
    } catch (error) {
      attempts.push({ place: finder.place, reason: (error as Error).message });
    }
  }
  context.signal.throwIfAborted();
  if (!named) attempts.unshift({ place: "TROUPE_NATS_SERVER", reason: "it is not set" });
  throw new NatsServerNotFoundError(minimumNatsServerVersion, attempts);
}

/** The caller's own binary: if it does not do, the search ends. */
function namedFinder(path: string, byOption: boolean): Finder {
  return {
    place: byOption ? "the option `binary`" : "TROUPE_NATS_SERVER",
    find: async ({ signal }) => ({ path, version: await requireNewEnough(path, signal) }),
  };
}

function contextOf(options: FindNatsServerOptions): FinderContext {
  const environment = options.environment ?? process.env;
  return {
    environment,
    cacheFolder: defaultCacheFolder(environment),
    releaseBaseUrl: options.releaseBaseUrl ?? officialReleaseBaseUrl,
    releaseAnswerTimeoutMs: options.releaseAnswerTimeoutMs ?? 10_000,
    aptFolder: options.aptFolder ?? "/etc/apt",
    signal: options.signal ?? new AbortController().signal,
    onProgress: options.onProgress ?? (() => {}),
  };
}
