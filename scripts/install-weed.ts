/**
 * Builds SeaweedFS, the server that the tests of archives in buckets use, into the user's cache:
 * `node scripts/install-weed.ts`. It needs Go, 5 GB for a while, and ten minutes of two cores.
 */
import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { copyFile, mkdir, mkdtemp, rename, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";

import { cachedWeed } from "../packages/archive-s3/fixtures/cached-weed.ts";

const module = "github.com/seaweedfs/seaweedfs/weed";
const version = "v0.0.0-20261109003541-7506e5f91cd6";

if (existsSync(cachedWeed())) {
  process.stdout.write(`SeaweedFS is at ${cachedWeed()} already.\n`);
  process.exit();
}

const folder = await mkdtemp(join(tmpdir(), "troupe-weed-build-"));
const env = {
  ...process.env,
  GOMODCACHE: join(folder, "modules"),
  GOCACHE: join(folder, "cache"),
  GOFLAGS: "-mod=mod -modcacherw",
  CGO_ENABLED: "0",
};

function go(...args: readonly string[]): void {
  const { error, status } = spawnSync("go", args, { cwd: folder, env, stdio: "inherit" });
  if (error !== undefined) throw new Error("Go is needed to build SeaweedFS.", { cause: error });
  if (status !== 0) throw new Error(`go ${args[0]} ended with ${status}.`);
}

try {
  await writeFile(join(folder, "go.mod"), "module build\n\ngo 1.25\n");
  go("get", `${module}@${version}`);
  go("build", "-trimpath", "-ldflags", "-s -w", "-o", "weed", module);
  const place = cachedWeed();
  await mkdir(dirname(place), { recursive: true });
  // Copied beside its place first: nothing partial gets the name.
  await copyFile(join(folder, "weed"), `${place}.new`);
  await rename(`${place}.new`, place);
  process.stdout.write(`SeaweedFS is at ${place}.\n`);
} finally {
  await rm(folder, { recursive: true, force: true });
}
