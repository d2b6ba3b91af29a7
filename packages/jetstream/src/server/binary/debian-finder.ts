/**
 * On Debian and its derivatives: fetches the distribution's own nats-server package into the cache,
 * without root. The machine's package lists stay untouched: APT runs on a private configuration
 * that has one source, the configured mirror with a suite that is new enough. The download is
 * verified with the distribution's key ring, as always.
 */

import { chmod, mkdir, mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { runProgram } from "../run-program.ts";
import { debianMirrors, readAptSources, type DebianMirror } from "./apt-sources.ts";
import { installBinary } from "./binary-cache.ts";
import type { Finder, FinderContext, NatsServerBinary } from "./finder.ts";

/** Downloads the distribution's package. */
export const debianFinder: Finder = { place: "the Debian package", find: findPackage };

/** The suites asked, in this order. The first is Debian 14, which has nats-server 2.15. */
const suites = ["forky", "sid", "testing", "unstable"] as const;

/** Time that all this may take, in milliseconds. */
const totalTimeoutMs = 120_000;

async function findPackage(context: FinderContext): Promise<NatsServerBinary> {
  if (process.platform !== "linux") throw new Error(`this is ${process.platform}, not Debian`);
  const mirrors = debianMirrors(await readAptSources(context.aptFolder));
  if (mirrors.length === 0) {
    throw new Error(`no source of Debian's main archive is configured in ${context.aptFolder}`);
  }
  const signal = AbortSignal.any([context.signal, AbortSignal.timeout(totalTimeoutMs)]);
  const reasons: string[] = [];
  for (const mirror of mirrors) {
    for (const suite of suites) {
      if (signal.aborted) break;
      try {
        return await installFrom(mirror, suite, { ...context, signal });
      } catch (error) {
        reasons.push(`${suite}: ${(error as Error).message}`);
      }
    }
  }
  throw new Error(reasons.join("; "));
}

function installFrom(
  mirror: DebianMirror,
  suite: string,
  context: FinderContext,
): Promise<NatsServerBinary> {
  return installBinary(context, async (temporaryFolder) => {
    context.onProgress(`downloading nats-server from the Debian suite ${suite}`);
    const aptFolder = await mkdtemp(join(tmpdir(), "troupe-apt-"));
    try {
      const packagePath = await downloadPackage(mirror, suite, aptFolder, context);
      await runProgram("dpkg-deb", ["--extract", packagePath, temporaryFolder], {
        timeoutMs: totalTimeoutMs,
        environment: context.environment,
        signal: context.signal,
      });
    } finally {
      await rm(aptFolder, { recursive: true, force: true });
    }
    return join(temporaryFolder, "usr", "sbin", "nats-server");
  });
}

async function downloadPackage(
  mirror: DebianMirror,
  suite: string,
  folder: string,
  context: FinderContext,
): Promise<string> {
  const configuration = await writeConfiguration(mirror, suite, folder);
  for (const args of [["update"], ["download", "nats-server"]]) {
    await runProgram("apt-get", ["--config-file", configuration, "--quiet", ...args], {
      folder,
      timeoutMs: totalTimeoutMs,
      environment: { ...context.environment, LC_ALL: "C.UTF-8" },
      signal: context.signal,
    });
  }
  const name = (await readdir(folder)).find((entry) => entry.endsWith(".deb"));
  if (name === undefined) throw new Error("apt-get download left no package");
  return join(folder, name);
}

/** Writes APT's private configuration into `folder` and returns its path. */
async function writeConfiguration(
  mirror: DebianMirror,
  suite: string,
  folder: string,
): Promise<string> {
  // As root, APT downloads as the user _apt, who has to be able to enter the folder.
  await chmod(folder, 0o755);
  for (const name of ["lists/partial", "cache/archives/partial"]) {
    await mkdir(join(folder, name), { recursive: true });
  }
  const sourceList = join(folder, "sources.list");
  await writeFile(sourceList, `deb [signed-by=${mirror.signedBy}] ${mirror.uri} ${suite} main\n`);
  const path = join(folder, "apt.conf");
  await writeFile(path, configurationText(folder, sourceList));
  return path;
}

/** The hooks are cleared because they maintain the system's own lists, which needs root. */
function configurationText(folder: string, sourceList: string): string {
  return [
    `Dir::Etc::sourcelist "${sourceList}";`,
    `Dir::Etc::sourceparts "/dev/null";`,
    `Dir::State::lists "${join(folder, "lists")}";`,
    `Dir::Cache "${join(folder, "cache")}";`,
    // Without this, APT calls an update that reached nothing a success.
    `APT::Update::Error-Mode "any";`,
    `Acquire::Languages "none";`,
    `Acquire::Retries "1";`,
    `Acquire::http::Timeout "10";`,
    `Acquire::https::Timeout "10";`,
    `#clear APT::Update::Pre-Invoke;`,
    `#clear APT::Update::Post-Invoke;`,
    `#clear APT::Update::Post-Invoke-Success;`,
    "",
  ].join("\n");
}
