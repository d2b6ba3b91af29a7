/** Downloads from a local server that stands in for the release host. */

import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { createServer, type RequestListener, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { afterEach, beforeEach, expect, test } from "vitest";

import { NatsServerNotFoundError } from "../errors.ts";
import { findNatsServer, type FindNatsServerOptions } from "./find-nats-server.ts";
import { downloadedNatsServerVersion as version, releaseArchiveName } from "./release-finder.ts";

const archiveName = releaseArchiveName(process.platform, process.arch);

let folder: string;
let host: Server | undefined;
let archive: Buffer;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "troupe-test-"));
  archive = await packArchive(`#!/bin/sh\necho "nats-server: v${version}"\n`);
});

afterEach(async () => {
  host?.closeAllConnections();
  host?.close();
  host = undefined;
  await rm(folder, { recursive: true });
});

test("a release is downloaded, unpacked and run once; then the cache answers", async () => {
  const requests: string[] = [];
  const progress: string[] = [];
  const options = await optionsFor((request, response) => {
    requests.push(request.url ?? "");
    serveRelease(archive)(request, response);
  });
  const found = await findNatsServer({ ...options, onProgress: (text) => progress.push(text) });
  expect(found.version).toBe(version);
  expect(found.path).toContain(join("cache", "nats-server", version));
  expect(requests).toEqual([`/v${version}/SHA256SUMS`, `/v${version}/${archiveName}`]);
  expect(progress).toEqual([`downloading nats-server ${version} (${archiveName})`]);
  host?.close();
  expect(await findNatsServer(options)).toEqual(found);
  expect(requests).toHaveLength(2);
  expect(await cacheEntries()).toEqual([version]);
});

test("an archive with another checksum never reaches the cache", async () => {
  const other = await packArchive(`#!/bin/sh\necho "nats-server: v${version}" # not ours\n`);
  const options = await optionsFor(serveRelease(other, sha256(archive)));
  expect(await releaseReason(options)).toMatch(/has the SHA-256 checksum \w{64}, expected \w{64}/);
  expect(await cacheEntries()).toEqual([]);
});

test("an archive that breaks off never reaches the cache", async () => {
  const options = await optionsFor((request, response) => {
    if (request.url?.endsWith("SHA256SUMS")) return serveRelease(archive)(request, response);
    response.writeHead(200, { "content-length": archive.length });
    response.write(archive.subarray(0, archive.length / 2), () => response.destroy());
  });
  expect(await releaseReason(options)).toContain(archiveName);
  expect(await cacheEntries()).toEqual([]);
});

test("a server that does not run here never reaches the cache", async () => {
  const broken = await packArchive("#!/bin/sh\necho wrong >&2; exit 3\n");
  const options = await optionsFor(serveRelease(broken));
  expect(await releaseReason(options)).toMatch(/failed \(3\): wrong/);
  expect(await cacheEntries()).toEqual([]);
});

test("an archive without a server says so", async () => {
  const options = await optionsFor(serveRelease(await packArchive("text", "README.md")));
  expect(await releaseReason(options)).toContain("has no file named nats-server");
});

test("a release that is missing, or not listed, says so", async () => {
  const missing = await optionsFor((_, response) => response.writeHead(404).end());
  expect(await releaseReason(missing)).toContain("HTTP status 404");
  host?.close();
  const unlisted = await optionsFor((_, response) => response.end(`${sha256(archive)}  other\n`));
  expect(await releaseReason(unlisted)).toContain(`does not list ${archiveName}`);
});

test("a host that never answers is given up", async () => {
  const options = await optionsFor(() => {});
  const reason = await releaseReason({ ...options, releaseAnswerTimeoutMs: 50 });
  expect(reason).toContain("no answer within 50 ms");
});

test("a host that refuses the connection is given up at once, with the reason", async () => {
  const options = await optionsFor(() => {});
  await new Promise((resolve) => host?.close(resolve));
  expect(await releaseReason(options)).toContain("ECONNREFUSED");
});

test("every platform has its archive, where there is one", () => {
  expect(releaseArchiveName("linux", "x64")).toBe(`nats-server-v${version}-linux-amd64.tar.gz`);
  expect(releaseArchiveName("darwin", "arm64")).toBe(`nats-server-v${version}-darwin-arm64.tar.gz`);
  expect(() => releaseArchiveName("win32", "x64")).toThrow("win32 on x64");
});

async function optionsFor(listener: RequestListener): Promise<FindNatsServerOptions> {
  const server = createServer(listener);
  host = server;
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    environment: { PATH: "", TROUPE_CACHE_DIR: join(folder, "cache") },
    releaseBaseUrl: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    aptFolder: join(folder, "apt"),
  };
}

function serveRelease(content: Buffer, checksum = sha256(content)): RequestListener {
  return (request, response) => {
    const isSums = request.url === `/v${version}/SHA256SUMS`;
    response.end(isSums ? `${"0".repeat(64)}  other\n${checksum}  ${archiveName}\n` : content);
  };
}

/** The way official releases are packed: a folder with the binary and its documents. */
async function packArchive(content: string, name = "nats-server"): Promise<Buffer> {
  const packed = join(folder, "packed");
  const top = `nats-server-v${version}`;
  await rm(packed, { recursive: true, force: true });
  await mkdir(join(packed, top), { recursive: true });
  await writeFile(join(packed, top, "LICENSE"), "a".repeat(1500));
  await writeFile(join(packed, top, name), content, { mode: 0o755 });
  execFileSync("tar", ["-czf", "archive.tar.gz", top], { cwd: packed });
  return readFile(join(packed, "archive.tar.gz"));
}

async function releaseReason(options: FindNatsServerOptions): Promise<string> {
  const error = await findNatsServer(options).catch((caught: unknown) => caught);
  if (!(error instanceof NatsServerNotFoundError)) throw error;
  const attempt = error.attempts.find(({ place }) => place === "the release download");
  return attempt?.reason ?? "";
}

async function cacheEntries(): Promise<string[]> {
  return readdir(join(folder, "cache", "nats-server")).catch(() => []);
}

function sha256(content: Buffer): string {
  return createHash("sha256").update(content).digest("hex");
}
