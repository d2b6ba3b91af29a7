/** npm as a user has it: outside of this repository, with Node 24, and hearing every warning. */
import { execFile } from "node:child_process";
import { dirname, delimiter } from "node:path";
import { promisify } from "node:util";

const run = promisify(execFile);

/** An install that takes longer than this has no registry. */
const hangsAfterMs = 300_000;

/**
 * Variables of npm and vitest that say something about this machine, and not about us.
 */
const kept = /^npm_config_(?:registry|cache|userconfig|cafile|https?_proxy|proxy|noproxy)$/i;
const ours = /^(?:npm_|NODE_OPTIONS$|NODE_COMPILE_CACHE$|VITEST|TURBO|INIT_CWD$|TROUPE_NATS_URL$)/i;

/** The environment of somebody who has just opened a terminal in another folder. */
export function cleanEnvironment(
  more: Readonly<Record<string, string>> = {},
): Record<string, string | undefined> {
  const own = Object.entries(process.env).filter(([name]) => kept.test(name) || !ours.test(name));
  const path = [dirname(process.execPath), process.env["PATH"]].join(delimiter);
  return { ...Object.fromEntries(own), PATH: path, ...more };
}

export interface Said {
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs npm in a folder; rejects when it ends with an error. */
export async function npm(parameters: readonly string[], cwd: string): Promise<Said> {
  const quiet = ["--no-audit", "--no-fund", "--prefer-offline", "--loglevel=warn"];
  return run("npm", [...parameters, ...quiet], {
    cwd,
    env: cleanEnvironment(),
    shell: process.platform === "win32",
    timeout: hangsAfterMs,
    maxBuffer: 64 * 1024 * 1024,
  });
}

/** False where no registry answers: then there is nothing to install from. */
export async function registryAnswers(): Promise<boolean> {
  try {
    await run("npm", ["view", "zod", "version", "--fetch-retries=0"], {
      env: cleanEnvironment(),
      shell: process.platform === "win32",
      timeout: 30_000,
    });
    return true;
  } catch {
    process.stderr.write("\nSKIPPED: no npm registry answers, so packages are not installed.\n\n");
    return false;
  }
}
