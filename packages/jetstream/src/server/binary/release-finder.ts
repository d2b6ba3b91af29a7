/**
 * Downloads the official release for this platform into the cache, verified against the
 * release's SHA256SUMS. Gives up quickly where the release host is out of reach, because a
 * distribution's package may still be available.
 */

import { createHash } from "node:crypto";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";

import { installBinary } from "./binary-cache.ts";
import type { Finder, FinderContext, NatsServerBinary } from "./finder.ts";
import { extractFromTarGz } from "./tar-gz.ts";

/** Downloads the release this version of Troupe is tested with. */
export const releaseFinder: Finder = { place: "the release download", find: download };

/** Address at which nats-server publishes its releases. */
export const officialReleaseBaseUrl = "https://github.com/nats-io/nats-server/releases/download";

/** The release that is downloaded; the one our own tests run on. */
export const downloadedNatsServerVersion = "2.15.1";

/** Time that a whole download may take, in milliseconds. */
const downloadTimeoutMs = 120_000;

/** The largest archive we accept, in bytes; releases have about 6 MB. */
const archiveSizeMax = 64 * 1024 * 1024;

const releasePlatforms: Readonly<Partial<Record<NodeJS.Platform, string>>> = {
  linux: "linux",
  darwin: "darwin",
};

const releaseArchitectures: Readonly<Partial<Record<NodeJS.Architecture, string>>> = {
  x64: "amd64",
  arm64: "arm64",
  arm: "arm7",
  ia32: "386",
  s390x: "s390x",
};

/** The archive's file name for a platform; throws where no release can be unpacked by us. */
export function releaseArchiveName(
  platform: NodeJS.Platform,
  architecture: NodeJS.Architecture,
): string {
  const os = releasePlatforms[platform];
  const cpu = releaseArchitectures[architecture];
  if (os === undefined || cpu === undefined) {
    throw new Error(`there is no .tar.gz release for ${platform} on ${architecture}`);
  }
  return `nats-server-v${downloadedNatsServerVersion}-${os}-${cpu}.tar.gz`;
}

async function download(context: FinderContext): Promise<NatsServerBinary> {
  const name = releaseArchiveName(process.platform, process.arch);
  const base = `${context.releaseBaseUrl}/v${downloadedNatsServerVersion}`;
  const sums = await fetchBounded(`${base}/SHA256SUMS`, context);
  const expected = checksumFor(name, new TextDecoder().decode(sums));
  context.onProgress(`downloading nats-server ${downloadedNatsServerVersion} (${name})`);
  const archive = await fetchBounded(`${base}/${name}`, context);
  const actual = createHash("sha256").update(archive).digest("hex");
  if (actual !== expected) {
    throw new Error(`${name} has the SHA-256 checksum ${actual}, expected ${expected}`);
  }
  return installBinary(context, async (temporaryFolder) => {
    const path = join(temporaryFolder, "unpacked");
    await writeFile(path, extractFromTarGz(archive, "nats-server"));
    return path;
  });
}

function checksumFor(name: string, sums: string): string {
  for (const line of sums.split("\n")) {
    const match = /^([0-9a-f]{64})\s+\*?(\S+)$/i.exec(line.trim());
    if (match?.[2] === name) return (match[1] ?? "").toLowerCase();
  }
  throw new Error(`SHA256SUMS does not list ${name}`);
}

async function fetchBounded(url: string, context: FinderContext): Promise<Uint8Array> {
  const unanswered = new AbortController();
  const answerTimer = setTimeout(() => {
    unanswered.abort(new Error(`no answer within ${context.releaseAnswerTimeoutMs} ms`));
  }, context.releaseAnswerTimeoutMs);
  try {
    const signals = [unanswered.signal, context.signal, AbortSignal.timeout(downloadTimeoutMs)];
    const response = await fetch(url, { signal: AbortSignal.any(signals) });
    clearTimeout(answerTimer);
    if (!response.ok) throw new Error(`the answer was HTTP status ${response.status}`);
    return await readBounded(response);
  } catch (error) {
    throw new Error(`${url}: ${reasonOf(error)}`, { cause: error });
  } finally {
    clearTimeout(answerTimer);
  }
}

async function readBounded(response: Response): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of response.body ?? []) {
    size += chunk.length;
    if (size > archiveSizeMax) throw new Error(`the file is larger than ${archiveSizeMax} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

/** `fetch` hides the useful part ("ENOTFOUND …") in the cause. */
function reasonOf(error: unknown): string {
  const cause = (error as Error).cause;
  return cause instanceof Error ? cause.message : (error as Error).message;
}
