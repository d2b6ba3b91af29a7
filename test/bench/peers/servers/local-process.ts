/**
 * A server that a peer needs: a process on loopback with a temporary folder, both gone when it is
 * stopped, and also when the process that started it dies in whatever way.
 */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { closeSync, openSync } from "node:fs";
import { chown, mkdtemp, readFile, rm } from "node:fs/promises";
import { createServer } from "node:net";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";

import {
  releaseWord,
  watchdogDescriptor,
  withWatchdog,
} from "../../../../packages/jetstream/src/server/watchdog.ts";

export interface LocalProcess {
  /** Ends the process and removes its folder. */
  stop(): Promise<void>;
}

export interface ProcessOptions {
  readonly command: readonly string[];
  /** From `temporaryFolder`; the working directory, and removed with the process. */
  readonly folder: string;
  /** Tried again until it is true. A rejection counts as not yet. */
  readonly ready: () => Promise<boolean>;
  readonly environment?: NodeJS.ProcessEnv;
  /** Asks the process to end. @default "SIGTERM" */
  readonly stopSignal?: NodeJS.Signals;
  readonly owner?: Owner;
}

/** Owner of a process and its folder; nothing means us. */
export interface Owner {
  readonly uid?: number;
  readonly gid?: number;
}

const readyTimeoutMs = 60_000;
const probeEveryMs = 50;
const stopTimeoutMs = 10_000;
const logLinesMax = 20;

export async function temporaryFolder(name: string, owner: Owner = {}): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), `troupe-bench-${name}-`));
  if (owner.uid !== undefined) await chown(folder, owner.uid, owner.gid ?? owner.uid);
  return folder;
}

/** @throws Error with the end of its log when the process ends or is not ready in time */
export async function startProcess(options: ProcessOptions): Promise<LocalProcess> {
  const { folder, owner = {} } = options;
  const logPath = join(folder, "process.log");
  const [program = "", ...args] = withWatchdog(options.command, folder);
  const log = openSync(logPath, "a");
  const child = spawn(program, args, {
    cwd: folder,
    stdio: ["ignore", log, log, "pipe"],
    detached: true,
    env: { ...process.env, ...options.environment },
    ...owner,
  });
  closeSync(log);
  const lifeline = child.stdio[watchdogDescriptor];
  // The watchdog may be gone already when it is released.
  lifeline?.on("error", () => undefined);
  let hasEnded = false;
  const ended = once(child, "exit").then(() => {
    hasEnded = true;
    if (lifeline && "end" in lifeline) lifeline.end(releaseWord);
  });
  const stop = async (): Promise<void> => {
    if (!hasEnded) child.kill(options.stopSignal ?? "SIGTERM");
    const escalation = setTimeout(() => child.kill("SIGKILL"), stopTimeoutMs);
    await ended;
    clearTimeout(escalation);
    await rm(folder, { recursive: true, force: true, maxRetries: 3 });
  };
  const giveUpAt = performance.now() + readyTimeoutMs;
  while (!(await options.ready().catch(() => false))) {
    if (hasEnded || performance.now() > giveUpAt) {
      const said = (await readFile(logPath, "utf8")).trimEnd().split("\n").slice(-logLinesMax);
      await stop();
      throw new Error(`${options.command[0] ?? ""} did not start:\n${said.join("\n")}`);
    }
    await delay(probeEveryMs);
  }
  return { stop };
}

/** A port that was free a moment ago. */
export async function freePort(): Promise<number> {
  const probe = createServer().listen(0, "127.0.0.1");
  await once(probe, "listening");
  const { port } = probe.address() as AddressInfo;
  probe.close();
  await once(probe, "close");
  return port;
}
