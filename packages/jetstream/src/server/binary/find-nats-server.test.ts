import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { afterEach, beforeEach, expect, test } from "vitest";

import { NatsServerNotFoundError } from "../errors.ts";
import { cachedBinaryPath } from "./binary-cache.ts";
import { findNatsServer, type FindNatsServerOptions } from "./find-nats-server.ts";

let folder: string;
/**
 * Options for a search without any result: no program on PATH, an empty cache, a closed port for
 * releases, no package sources.
 */
let nowhere: FindNatsServerOptions & { readonly environment: NodeJS.ProcessEnv };

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "troupe-test-"));
  nowhere = {
    environment: { PATH: join(folder, "bin"), TROUPE_CACHE_DIR: join(folder, "cache") },
    releaseBaseUrl: "http://127.0.0.1:1/releases",
    aptFolder: join(folder, "apt"),
  };
});

afterEach(() => rm(folder, { recursive: true }));

test("TROUPE_NATS_SERVER comes before all other places", async () => {
  await writeServer(join(folder, "bin", "nats-server"), "2.16.0");
  const path = await writeServer(join(folder, "mine"), "2.15.0");
  const environment = { ...nowhere.environment, TROUPE_NATS_SERVER: path };
  expect(await findNatsServer({ ...nowhere, environment })).toEqual({ path, version: "2.15.0" });
});

test("TROUPE_NATS_SERVER that does not do is an error, not a hint", async () => {
  await writeServer(join(folder, "bin", "nats-server"), "2.16.0");
  const path = await writeServer(join(folder, "mine"), "2.10.0");
  const environment = { ...nowhere.environment, TROUPE_NATS_SERVER: path };
  await expect(findNatsServer({ ...nowhere, environment })).rejects.toMatchObject({
    code: "nats-server-not-found",
    attempts: [{ place: "TROUPE_NATS_SERVER", reason: `${path} is 2.10.0, older than 2.14.4` }],
  });
  const missing = findNatsServer({ ...nowhere, binary: join(folder, "missing") });
  await expect(missing).rejects.toThrow(/the option `binary`: .*missing is not installed/);
});

test("PATH comes before the cache, but only with a version that is new enough", async () => {
  const installed = join(folder, "bin", "nats-server");
  const cached = cachedBinaryPath(join(folder, "cache", "nats-server"), "2.15.0");
  await writeServer(cached, "2.15.0");
  await writeServer(installed, "2.10.27");
  expect((await findNatsServer(nowhere)).path).toBe(cached);
  await writeServer(installed, "2.14.4");
  expect((await findNatsServer(nowhere)).path).toBe(installed);
});

test("the first nats-server on PATH that is new enough is taken", async () => {
  await writeServer(join(folder, "bin", "nats-server"), "2.10.27");
  const second = await writeServer(join(folder, "other", "nats-server"), "2.15.1");
  const PATH = `${join(folder, "bin")}:${join(folder, "other")}`;
  const environment = { ...nowhere.environment, PATH };
  expect((await findNatsServer({ ...nowhere, environment })).path).toBe(second);
});

test("the newest server in the cache is taken, a broken one is passed over", async () => {
  const cache = join(folder, "cache", "nats-server");
  await writeServer(cachedBinaryPath(cache, "2.9.1"), "2.9.1");
  const good = await writeServer(cachedBinaryPath(cache, "2.15.1"), "2.15.1");
  await writeServer(cachedBinaryPath(cache, "2.14.9"), "2.14.9");
  await writeProgram(cachedBinaryPath(cache, "2.16.0"), "exit 1");
  expect(await findNatsServer(nowhere)).toEqual({ path: good, version: "2.15.1" });
});

test("the error names every place in order, the reason for each, and what to do", async () => {
  const error = await findNatsServer(nowhere).catch((caught: unknown) => caught);
  expect(error).toBeInstanceOf(NatsServerNotFoundError);
  const { attempts, message } = error as NatsServerNotFoundError;
  expect(attempts.map(({ place }) => place)).toEqual([
    "TROUPE_NATS_SERVER",
    "PATH",
    "the cache",
    "the release download",
    "the Debian package",
  ]);
  for (const { place, reason } of attempts) expect(message).toContain(`${place}: ${reason}`);
  expect(message).toContain("2.14.4");
  expect(message).toContain("set TROUPE_NATS_SERVER");
  expect(message).toContain("TROUPE_NATS_URL");
});

test("an aborted search ends with the reason of the signal", async () => {
  const signal = AbortSignal.abort(new Error("changed my mind"));
  await expect(findNatsServer({ ...nowhere, signal })).rejects.toThrow("changed my mind");
});

function writeServer(path: string, version: string): Promise<string> {
  return writeProgram(path, `echo "nats-server: v${version}"`);
}

async function writeProgram(path: string, action: string): Promise<string> {
  await mkdir(join(path, ".."), { recursive: true });
  await writeFile(path, `#!/bin/sh\n${action}\n`, { mode: 0o755 });
  return path;
}
