import { spawn } from "node:child_process";
import { mkdir, mkdtemp, readdir, rm, utimes, writeFile } from "node:fs/promises";
import { homedir, tmpdir } from "node:os";
import { join } from "node:path";

import { afterEach, beforeEach, expect, test } from "vitest";

import { cachedBinaryPath, defaultCacheFolder, installBinary } from "./binary-cache.ts";
import type { FinderContext } from "./finder.ts";
import { readServerVersion } from "./server-version.ts";

let folder: string;
let context: FinderContext;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "troupe-test-"));
  context = {
    environment: {},
    cacheFolder: join(folder, "cache"),
    releaseBaseUrl: "",
    releaseAnswerTimeoutMs: 0,
    aptFolder: "",
    signal: new AbortController().signal,
    onProgress: () => {},
  };
});

afterEach(() => rm(folder, { recursive: true }));

test("processes that install at once leave one whole binary, at every moment", async () => {
  const installers = Array.from({ length: 3 }, () => runInstaller(20));
  const path = cachedBinaryPath(context.cacheFolder, "2.15.1");
  await expect
    .poll(() => readServerVersion(path).catch(String), { timeout: 20_000 })
    .toBe("2.15.1");
  const installing = Promise.all(installers);
  for (;;) {
    const read = readServerVersion(path);
    expect(await read).toBe("2.15.1");
    const exitCodes = await Promise.race([installing, Promise.resolve()]);
    if (exitCodes === undefined) continue;
    expect(exitCodes).toEqual([0, 0, 0]);
    break;
  }
  expect(await readdir(context.cacheFolder)).toEqual(["2.15.1"]);
  expect(await readdir(join(path, ".."))).toEqual(["nats-server"]);
});

test("what fails, is too old or is no server leaves nothing behind", async () => {
  const failing = installBinary(context, () => Promise.reject(new Error("the line broke")));
  await expect(failing).rejects.toThrow("the line broke");
  await expect(installBinary(context, (at) => writeServer(at, "2.10.1"))).rejects.toThrow("2.10.1");
  await expect(installBinary(context, (at) => writeServer(at, "none"))).rejects.toThrow(
    "printed no version",
  );
  expect(await readdir(context.cacheFolder)).toEqual([]);
});

test("what a killed installer left is cleared away after an hour", async () => {
  const abandoned = join(context.cacheFolder, ".installing-old");
  const active = join(context.cacheFolder, ".installing-new");
  await mkdir(abandoned, { recursive: true });
  await mkdir(active);
  const twoHoursAgo = new Date(Date.now() - 2 * 60 * 60 * 1000);
  await utimes(abandoned, twoHoursAgo, twoHoursAgo);
  await installBinary(context, (at) => writeServer(at, "2.15.1"));
  expect(await readdir(context.cacheFolder)).toEqual([".installing-new", "2.15.1"]);
});

test("the cache is where the environment says", () => {
  expect(defaultCacheFolder({ TROUPE_CACHE_DIR: "/a", XDG_CACHE_HOME: "/b" })).toBe(
    "/a/nats-server",
  );
  expect(defaultCacheFolder({ XDG_CACHE_HOME: "/b" })).toBe("/b/troupe/nats-server");
  expect(defaultCacheFolder({}).startsWith(homedir())).toBe(true);
});

/** A process of its own that installs the same version over and over; resolves with its exit. */
function runInstaller(times: number): Promise<number | null> {
  const script = `
    import { writeFile } from "node:fs/promises";
    import { installBinary } from ${urlOf("./binary-cache.ts")};
    const context = {
      cacheFolder: ${JSON.stringify(context.cacheFolder)},
      signal: new AbortController().signal,
    };
    for (let time = 0; time < ${times}; time += 1) {
      await installBinary(context, async (folder) => {
        const padding = "# padding\\n".repeat(100_000);
        const text = "#!/bin/sh\\n" + padding + "echo 'nats-server: v2.15.1'\\n";
        await writeFile(folder + "/made", text);
        return folder + "/made";
      });
    }
  `;
  const child = spawn(process.execPath, ["--input-type=module", "--eval", script], {
    stdio: ["ignore", "ignore", "inherit"],
  });
  return new Promise((resolve) => child.once("exit", (code) => resolve(code)));
}

function urlOf(module: string): string {
  return JSON.stringify(new URL(module, import.meta.url).href);
}

async function writeServer(at: string, version: string): Promise<string> {
  const path = join(at, "made");
  await writeFile(path, `#!/bin/sh\necho "nats-server: v${version}"\n`);
  return path;
}
