/** Installs the peers' packages, which nothing but this benchmark needs, when they are missing. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";

const folder = fileURLToPath(new URL(".", import.meta.url));

/** @throws Error when npm fails; what it printed went to stderr */
export async function installPeers(progress: (line: string) => void): Promise<void> {
  if (await isInstalled()) return;
  progress("installing the peers: npm ci --prefix test/bench/peers");
  // No install scripts: all they would do is build optional natives and count downloads.
  const args = ["ci", "--prefix", folder, "--ignore-scripts", "--no-audit", "--no-fund"];
  const npm = spawn("npm", args, { cwd: folder, stdio: ["ignore", 2, 2] });
  const [code] = (await once(npm, "exit")) as [number | null];
  if (code !== 0) throw new Error(`npm ci --prefix test/bench/peers failed (${String(code)}).`);
}

/** npm keeps what it installed in a lockfile of its own, without what other platforms need. */
async function isInstalled(): Promise<boolean> {
  const installed = `${folder}node_modules/.package-lock.json`;
  if (!existsSync(installed)) return false;
  const wanted = await packagesIn(`${folder}package-lock.json`);
  const present = await packagesIn(installed);
  return Object.entries(wanted)
    .filter(([path, { optional }]) => path !== "" && optional !== true)
    .every(([path, { version }]) => present[path]?.version === version);
}

interface LockedPackage {
  readonly version?: string;
  readonly optional?: boolean;
}

async function packagesIn(lockfile: string): Promise<Readonly<Record<string, LockedPackage>>> {
  const { packages } = JSON.parse(await readFile(lockfile, "utf8")) as {
    readonly packages: Readonly<Record<string, LockedPackage>>;
  };
  return packages;
}
